from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("meters", "0002_append_only"),
    ]

    operations = [
        migrations.AddField(
            model_name="meter",
            name="disconnect_first",
            field=models.BooleanField(
                default=False, help_text="HDLC: a DISC before the SNRM, for meters that keep an old link."
            ),
        ),
        migrations.AlterField(
            model_name="line",
            name="kind",
            field=models.CharField(
                choices=[("TCP", "TCP"), ("UDP", "UDP"), ("SERIAL", "Serial port")], default="TCP", max_length=8
            ),
        ),
        migrations.AlterField(
            model_name="meter",
            name="framing",
            field=models.CharField(choices=[("WRAPPER", "Wrapper"), ("HDLC", "HDLC")], default="WRAPPER", max_length=8),
        ),
    ]
