from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("models_under_test", "0001_initial"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="aijob",
            index=models.Index(
                condition=models.Q(("published_at", None)), fields=["created_at"], name="ai_job_unpublished"
            ),
        ),
    ]
