"""What a name, a tag, a title may hold."""

from django.core.validators import RegexValidator

DEVICE_ADDRESS = RegexValidator(r"^[0-9A-Za-z ]{0,32}$", "At most 32 digits, letters and blanks.")
SYSTEM_TITLE = RegexValidator(r"^([0-9A-Fa-f]{16})?$", "A system title is 8 octets: 16 hex digits.")
TAG_NAME = RegexValidator(r"^[^,\x00-\x1f]+$", "A tag has no comma and no control character.")
FLAG_CODE = RegexValidator(r"^([A-Z]{3})?$", "A FLAG code is three capital letters, as the DLMS UA gives them out.")
NAME = RegexValidator(r"^[^\x00-\x1f]+$", "A name has no control characters.")
