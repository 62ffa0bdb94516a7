import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("meters", "0004_association_referencing"),
    ]

    operations = [
        migrations.AddField(
            model_name="meter",
            name="sign_on_address",
            field=models.CharField(
                blank=True,
                help_text="Mode E: the device address; empty: whoever is there.",
                max_length=32,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[0-9A-Za-z ]{0,32}$", "At most 32 digits, letters and blanks."
                    )
                ],
            ),
        ),
        migrations.AddField(
            model_name="meter",
            name="initial_baud",
            field=models.PositiveIntegerField(default=300, help_text="Mode E: the speed of the sign-on."),
        ),
        migrations.AddField(
            model_name="meter",
            name="max_baud",
            field=models.PositiveIntegerField(default=19200, help_text="Mode E: no higher speed is proposed."),
        ),
        migrations.AddField(
            model_name="meter",
            name="parity_in_octets",
            field=models.BooleanField(default=False, help_text="Mode E: the line is fixed at 8 data bits."),
        ),
        migrations.AlterField(
            model_name="meter",
            name="framing",
            field=models.CharField(
                choices=[("WRAPPER", "Wrapper"), ("HDLC", "HDLC"), ("MODE_E", "HDLC with mode E sign-on")],
                default="WRAPPER",
                max_length=8,
            ),
        ),
    ]
