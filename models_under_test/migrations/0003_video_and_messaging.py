import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("models_under_test", "0002_ai_job_unpublished"),
    ]

    operations = [
        migrations.AddField(
            model_name="aijob",
            name="request",
            field=models.TextField(default=""),
        ),
        migrations.CreateModel(
            name="Lecture",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("title", models.CharField(max_length=128)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to="models_under_test.tenant",
                        to_field="code",
                    ),
                ),
            ],
            options={
                "db_table": "lecture",
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("request", models.TextField(default="")),
                ("attempt_count", models.PositiveIntegerField(default=0)),
                ("locked_by", models.CharField(max_length=128, null=True)),
                ("locked_at", models.DateTimeField(null=True)),
                ("lease_expires_at", models.DateTimeField(null=True)),
                ("published_at", models.DateTimeField(null=True)),
                ("error", models.TextField(default="")),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("notification_id", models.CharField(max_length=128, unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PENDING", "PENDING"),
                            ("RETRYING", "RETRYING"),
                            ("SENDING", "SENDING"),
                            ("SENT", "SENT"),
                            ("FAILED", "FAILED"),
                        ],
                        default="PENDING",
                        max_length=16,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to="models_under_test.tenant",
                        to_field="code",
                    ),
                ),
            ],
            options={
                "db_table": "notification",
            },
        ),
        migrations.CreateModel(
            name="NotificationLog",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("payload", models.TextField()),
                ("created_at", models.DateTimeField()),
                (
                    "notification",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, to="models_under_test.notification"
                    ),
                ),
            ],
            options={
                "db_table": "notification_log",
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.EmailField(max_length=128)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to="models_under_test.tenant",
                        to_field="code",
                    ),
                ),
            ],
            options={
                "db_table": "academy_user",
            },
        ),
        migrations.CreateModel(
            name="Video",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("request", models.TextField(default="")),
                ("attempt_count", models.PositiveIntegerField(default=0)),
                ("locked_by", models.CharField(max_length=128, null=True)),
                ("locked_at", models.DateTimeField(null=True)),
                ("lease_expires_at", models.DateTimeField(null=True)),
                ("published_at", models.DateTimeField(null=True)),
                ("error", models.TextField(default="")),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("video_id", models.CharField(max_length=128, unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("UPLOADED", "UPLOADED"),
                            ("RETRYING", "RETRYING"),
                            ("PROCESSING", "PROCESSING"),
                            ("READY", "READY"),
                            ("FAILED", "FAILED"),
                        ],
                        default="UPLOADED",
                        max_length=16,
                    ),
                ),
                (
                    "lecture",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, to="models_under_test.lecture"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to="models_under_test.tenant",
                        to_field="code",
                    ),
                ),
            ],
            options={
                "db_table": "video",
            },
        ),
        migrations.CreateModel(
            name="VideoRendition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("payload", models.TextField()),
                ("created_at", models.DateTimeField()),
                (
                    "video",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, to="models_under_test.video"
                    ),
                ),
            ],
            options={
                "db_table": "video_rendition",
            },
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("published_at", None)),
                fields=["created_at"],
                name="notification_unpublished",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(fields=("tenant", "email"), name="academy_user_email"),
        ),
        migrations.AddIndex(
            model_name="video",
            index=models.Index(
                condition=models.Q(("published_at", None)), fields=["created_at"], name="video_unpublished"
            ),
        ),
    ]
