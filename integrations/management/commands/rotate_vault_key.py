from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models.functions import Now

from integrations import vault
from integrations.models import DataKey
from integrations.models.base import Sealing, sealed_columns

BATCH = 200


class Command(BaseCommand):
    help = (
        "Re-encrypt online. Put a new key first into VAULT_KEYS, restart, run this; then the old key may go."
        " With --data-keys every secret is sealed anew as well. May be interrupted and run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data-keys", action="store_true", help="also make new data keys and re-seal every secret")
        parser.add_argument("--verify", action="store_true", help="only check that every secret opens")

    def handle(self, *args: Any, data_keys: bool, verify: bool, **options: Any) -> None:
        try:
            if verify:
                self.stdout.write(f"{self._verify()} secrets open.")
                return
            if data_keys:
                self._renew_data_keys()
            rewrapped = sum(vault.rewrap(key) for key in DataKey.objects.iterator())
            vault.forget_keys()
            self.stdout.write(f"{rewrapped} data keys wrapped anew; {self._verify()} secrets open.")
            self._drop_unused()
        except vault.VaultError as error:
            raise CommandError(str(error)) from error

    def _renew_data_keys(self) -> None:
        for key in DataKey.objects.filter(is_current=True):
            vault.renew_data_key(key.project_id)
        vault.forget_keys()
        resealed = sum(self._reseal(model, column) for model, column in sealed_columns())
        self.stdout.write(f"{resealed} secrets sealed anew.")

    def _drop_unused(self) -> None:
        # Other processes remember a current key for a while, and seal with it what they get meanwhile.
        limit = Now() - timedelta(seconds=2 * vault.CACHE_SECONDS)
        retired = {str(key.pk) for key in DataKey.objects.filter(is_current=False, retired_at__lt=limit)}
        still_used = {name for model, column in sealed_columns() for name in self._data_keys_of(model, column)}
        DataKey.objects.filter(pk__in=retired - still_used).delete()
        if DataKey.objects.filter(is_current=False).exists():
            minutes = 2 * vault.CACHE_SECONDS // 60
            self.stdout.write(f"The former data keys may go in {minutes} minutes: run this again without --data-keys.")

    def _reseal(self, model: type[Sealing], column: str) -> int:
        count = 0
        name = column.removesuffix("_sealed")
        for row in self._rows(model, column):
            before = getattr(row, column)
            row.seal(name, row.open(name))
            # Only where nobody changed it meanwhile: a refresh that is under way seals with the new key by itself.
            unchanged = model._default_manager.filter(pk=row.pk, **{column: before})
            count += unchanged.update(**{column: getattr(row, column)})
        return count

    def _verify(self) -> int:
        count = 0
        for model, column in sealed_columns():
            for row in self._rows(model, column):
                row.open(column.removesuffix("_sealed"))
                count += 1
        return count

    def _data_keys_of(self, model: type[Sealing], column: str) -> set[str]:
        return {vault.data_key_of(getattr(row, column)) for row in self._rows(model, column)}

    @staticmethod
    def _rows(model: type[Sealing], column: str) -> Any:
        return model._default_manager.exclude(**{column: ""}).iterator(chunk_size=BATCH)
