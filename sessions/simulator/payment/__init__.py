"""Payment metering of a simulated meter: an account with its credits, charges that use them up, tokens that fill them.

    tokens (115) -> credits (112) <- account (111) -> the switch
                        ^
                    charges (113) <- a register, the time

Amounts are whole numbers of the account's least unit of currency. What the standard's lists of attributes do not tell is decided
plainly and said where it is. Source: Blue Book, the classes of payment metering.
"""
