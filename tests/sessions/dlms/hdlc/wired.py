"""HDLC links wired together in memory: helpers for the tests of both."""

from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.client_link import HdlcClientLink
from sessions.dlms.hdlc.server_link import HdlcServerLink
from sessions.dlms.link import ApduReceived, FrameSent, LinkConnected, LinkDisconnected, LinkFailed

CLIENT, SERVER = client_address(16), server_address(1, 17, 2)
OUTCOMES = (LinkConnected, ApduReceived, LinkDisconnected, LinkFailed)


def make_client(**options):
    values = {"client_sap": 16, "server_sap": 1, "physical_address": 17, "address_octets": 2, **options}
    return HdlcClientLink(**values)


def make_server(**options):
    return HdlcServerLink(**{"server_sap": 1, "physical_address": 17, "address_octets": 2, **options})


def events_of(link, *kinds):
    events = []
    while (event := link.next_event()) is not None:
        if not kinds or isinstance(event, kinds):
            events.append(event)
    return events


class Wire:
    """Carries octets between both until nobody has anything to say; time passes only for timers.

    `spoil` gets every frame, and gives the pieces that arrive instead of it. `echo`: the client hears itself.
    """

    def __init__(self, client, *servers, spoil=None, answer=lambda apdu: apdu[::-1], echo=False):
        self.client, self.servers, self.answer, self.echo = client, servers, answer, echo
        self.spoil = spoil or (lambda octets: [octets])
        self.now = 0.0
        self.outcomes = []
        self.sent = []
        """Octets of the frames of both sides, as they were meant."""

    def run(self, limit=3000, until=1e9):
        """Until nobody waits for anything, or nothing is due before `until`."""
        for _ in range(limit):
            if not (self.pump() or self.tick(until)):
                return
        raise AssertionError("it never ends")

    def pump(self):
        events = events_of(self.client)
        self.outcomes += [event for event in events if isinstance(event, OUTCOMES)]
        frames = [event.octets for event in events if isinstance(event, FrameSent)]
        assert b"".join(frames) == self.client.octets_to_send()
        self.sent += frames
        for part in self.spoiled(frames):
            if self.echo:
                self.client.receive_octets(part, self.now)
            for server in self.servers:
                server.receive_octets(part, self.now)
        moved = [self.answer_of(server) for server in self.servers]
        return bool(frames) or any(moved)

    def answer_of(self, server):
        events = events_of(server)
        for event in events:
            if isinstance(event, ApduReceived) and self.answer is not None:
                server.send_apdu(self.answer(event.apdu), self.now)
        frames = [event.octets for event in [*events, *events_of(server)] if isinstance(event, FrameSent)]
        assert b"".join(frames) == server.octets_to_send()
        self.sent += frames
        for part in self.spoiled(frames):
            self.client.receive_octets(part, self.now)
        return bool(frames)

    def spoiled(self, frames):
        return [part for frame in frames for part in self.spoil(frame)]

    def tick(self, until):
        at = self.client.next_timer()
        if at is None or at > until:
            return False
        for server in self.servers:
            if (due := server.next_timer()) is not None and due <= at:
                server.handle_timer(due)
        self.now = max(self.now, at)
        self.client.handle_timer(self.now)
        return True


def connected(client=None, server=None, **options):
    wire = Wire(client or make_client(), server or make_server(), **options)
    wire.client.connect(0.0)
    wire.run()
    return wire
