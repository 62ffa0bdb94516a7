"""What a simulated meter says by itself, to a destination of its own.

    trigger (method 1: a client, a script of a schedule or a monitor)
      -> setup     what is said, to whom, how often tried (Push setup, class 40)
      -> outbox    waits for its time, its window, its next try; `delivery` is one push on its way
      -> session   one try: protected anew, framed, and its confirmation understood
      -> sender    the connections, in asyncio

Everything but `sender` is without I/O: the time is an argument.
"""
