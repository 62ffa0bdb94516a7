"""Where meters may be looked for on the network: a default-deny list of networks and ports, for each team.

    hosts.py     what may stand where a host is meant, and which address an address embeds (pure)
    policy.py    rules, and the verdict on one address (pure)
    own.py       the workbench's own database, broker and web server, which are no meters
    services.py  the rules of a user; checks with their audit and limits; saving and deleting rules

A target is judged when a line is saved or a session is asked for, and again by the worker, which resolves the name once, judges
every address, and connects to what was judged.
"""
