"""What carries the APDUs."""

from django.db import models


class Framing(models.TextChoices):
    WRAPPER = "WRAPPER", "Wrapper"
    HDLC = "HDLC", "HDLC"
    MODE_E = "MODE_E", "HDLC with mode E sign-on"
