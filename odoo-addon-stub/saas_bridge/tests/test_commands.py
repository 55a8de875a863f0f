from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from .common import SaasCommon

# What each command needs to be asked for.
ARGUMENTS = {
    "start": {},
    "stop": {},
    "restart": {},
    "suspend": {"reason": "Abuse"},
    "resume": {},
    "extend": {"days": 7, "reason": "Apology"},
    "change_plan": {"plan_id": "big"},
    "rebuild": {},
    "back_up": {},
    "restore": {"reason": "Deleted by mistake"},
    "delete": {},
    "delete_without_copy": {"reason": "A row is too long"},
    "retry": {},
}
STATES = ("draft", "provisioning", "running", "suspended", "stopped", "error", "deleting", "deleted")
ALIVE = ("provisioning", "running", "suspended", "stopped", "error")
ALLOWED = {
    "start": ("stopped", "suspended"),
    "stop": ("provisioning", "running", "error"),
    "restart": ("running", "error"),
    "suspend": ("provisioning", "running", "error"),
    "resume": ("stopped", "suspended"),
    "extend": ALIVE,
    "change_plan": ("running", "suspended", "stopped", "error"),
    "rebuild": ("running", "error"),
    "back_up": ("running", "suspended", "stopped"),
    "restore": ("running", "error"),
    "delete": ALIVE,
    "delete_without_copy": ("suspended", "stopped", "error", "deleting"),
    "retry": ("error",),
}
WITH_DIALOG = ("suspend", "extend", "change_plan", "restore", "delete", "delete_without_copy")


@tagged("post_install", "-at_install")
class TestCommands(SaasCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.big = cls._plan("Big", "t-big", saas_max_users=10, saas_storage_gb=10)
        cls.instance = cls._instance(state="running", users_used=3, storage_used_mb=1024)

    def _as(self, user):
        return self.instance.with_user(user)

    def _arguments(self, command):
        return {name: self.big.id if value == "big" else value for name, value in ARGUMENTS[command].items()}

    def _dialog(self, command, user=None, **values):
        """What the button opens, filled in."""
        action = getattr(self._as(user or self.saas_manager), f"action_{command}")()
        self.assertEqual((action["res_model"], action["target"]), ("saas.command.wizard", "new"))
        wizard = self.env["saas.command.wizard"].with_user(user or self.saas_manager).with_context(action["context"])
        with Form(wizard) as form:
            for name, value in values.items():
                form[name] = value
        return form.record

    def _only_command(self):
        self.assertEqual(len(self.instance.command_ids), 1)
        return self.instance.command_ids

    def test_every_command_in_every_state(self):
        self.assertEqual(set(ALLOWED), set(dict(self.env["saas.command"]._fields["command"].selection)))
        for state in STATES:
            for command, allowed in ALLOWED.items():
                with self.subTest(state=state, command=command):
                    self.instance.command_ids.unlink()
                    self.instance.state = state
                    mine = self._as(self.saas_manager)
                    if state in allowed:
                        mine._request_command(command, **self._arguments(command))
                        self.assertEqual(self._only_command().command, command)
                    else:
                        with self.assertRaises(UserError):
                            getattr(mine, f"action_{command}")()
                        with self.assertRaises(UserError):
                            mine._request_command(command, **self._arguments(command))
                        self.assertFalse(self.instance.command_ids)

    def test_only_managers_command_and_users_retry(self):
        self.instance.state = "error"
        portal = new_test_user(self.env, "t-portal", groups="base.group_portal")
        for user in (self.saas_user, self.salesman, portal, self.bridge_user):
            for command in ALLOWED:
                if (user, command) == (self.saas_user, "retry"):
                    continue
                with self.subTest(user=user.login, command=command), self.assertRaises(AccessError):
                    getattr(self._as(user), f"action_{command}")()
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env["saas.command.wizard"].with_user(user).create(
                    {"instance_id": self.instance.id, "command": "extend", "reason": "mine"}
                )
        self.assertFalse(self.instance.command_ids)
        self._as(self.saas_user).action_retry()
        self.assertEqual(self._only_command().command, "retry")

    def test_manager_of_another_company(self):
        company = self.env["res.company"].create({"name": "Other"})
        other = new_test_user(
            self.env, "t-other", groups="saas_bridge.group_manager", company_id=company.id, company_ids=[(6, 0, company.ids)]
        )
        for command in ("restart", "extend", "delete"):
            with self.subTest(command=command), self.assertRaises(AccessError):
                getattr(self._as(other), f"action_{command}")()
        wizard = self.env["saas.command.wizard"].sudo().create(
            {"instance_id": self.instance.id, "command": "extend", "reason": "x", "days": 1}
        )
        with self.assertRaises(AccessError):
            wizard.with_user(other).action_confirm()

    def test_suspend_asks_for_a_reason(self):
        with self.assertRaises(AssertionError):
            self._dialog("suspend")
        with self.assertRaises(ValidationError):
            self._dialog("suspend", reason="   ").action_confirm()
        self._dialog("suspend", reason=" Abuse ").action_confirm()
        command = self._only_command()
        self.assertEqual((command.command, command.reason, command.requested_by), ("suspend", "Abuse", self.saas_manager))

    def test_extend_asks_for_days_and_a_reason(self):
        for days in (-1, 0, 3651):
            with self.subTest(days=days), self.assertRaises(ValidationError):
                self._dialog("extend", days=days, reason="gift").action_confirm()
        with self.assertRaises(AssertionError):
            self._dialog("extend", days=5)
        for days in (1, 3650):
            self.instance.command_ids.unlink()
            self._dialog("extend", days=days, reason="gift").action_confirm()
            self.assertEqual(self._only_command().days, days)
            self.assertEqual(self._only_command().details, f"{days} day{'s' if days > 1 else ''}")

    def test_extend_becomes_a_grant_of_days(self):
        for days in (1, 45, 3650):
            with self.subTest(days=days):
                command = self.env["saas.command"].create(
                    {
                        "instance_id": self.instance.id,
                        "command": "extend",
                        "days": days,
                        "reason": "gift",
                        "requested_by": self.saas_manager.id,
                        "state": "done",
                    }
                )
                grant = command._apply()
                self.assertEqual(self.instance.grant_ids & grant, grant)
                self.assertEqual((grant.quantity, grant.period_count, grant.period_unit), (days, 1, "day"))
                self.assertEqual((grant.reason, grant.user_id), ("gift", self.saas_manager))

    def test_change_plan_shows_and_refuses_what_does_not_fit(self):
        self.instance.write({"plan_id": self.big.id, "users_used": 4, "storage_used_mb": 2 * 1024 + 1})
        dialog = self._dialog("change_plan", plan_id=self.plan)
        self.assertIn("4 active users", dialog.misfit)
        self.assertIn("2.0 GB", dialog.misfit)
        self.assertIn("4 in use; 3", dialog.users_comparison)
        with self.assertRaises(ValidationError):
            dialog.action_confirm()
        self.instance.write({"users_used": 3, "storage_used_mb": 2 * 1024})
        dialog = self._dialog("change_plan", plan_id=self.plan)
        self.assertFalse(dialog.misfit)
        dialog.action_confirm()
        command = self._only_command()
        self.assertEqual((command.plan_id, command.details), (self.plan, "Basic"))
        self.assertEqual(command.reason, "Plan changed from Big to Basic")

    def test_change_plan_only_to_a_plan_that_is_sold(self):
        chair = self.env["product.template"].create({"name": "Chair", "type": "service"})
        trial = self._plan("Trial", "t-trial", list_price=0, saas_trial=True)
        old = self._plan("Old", "t-old", active=False)
        for product in (chair, trial, old, self.plan, self.env["product.template"]):
            with self.subTest(product=product.name), self.assertRaises(ValidationError):
                self._as(self.saas_manager)._request_command("change_plan", plan_id=product.id)

    def test_change_plan_becomes_a_grant_of_no_time(self):
        yearly = self._plan("Yearly", "t-yearly", saas_period_unit="year", saas_period_count=2)
        command = self.env["saas.command"].create(
            {"instance_id": self.instance.id, "command": "change_plan", "plan_id": yearly.id, "reason": "grown"}
        )
        grant = command._apply()
        self.assertEqual((grant.plan_id, grant.quantity), (yearly, 0))
        self.assertEqual((grant.period_count, grant.period_unit), (2, "year"))
        self.assertEqual(self.instance.plan_id, self.plan)
        # Bought in the shop before the daemon's answer came.
        self.instance.plan_id = yearly
        self.assertFalse(command._apply())

    def test_the_others_grant_nothing(self):
        for command in ALLOWED.keys() - {"extend", "change_plan"}:
            record = self.env["saas.command"].create(
                {"instance_id": self.instance.id, "command": command, **self._arguments(command)}
            )
            self.assertFalse(record._apply())
        self.assertFalse(self.instance.grant_ids)

    def test_delete_asks_for_the_name(self):
        for name in ("acm", "ACME", "acme-2"):
            with self.subTest(name=name), self.assertRaises(UserError):
                self._dialog("delete", confirm_name=name).action_confirm()
        self.assertFalse(self.instance.command_ids)
        self._dialog("delete", confirm_name=" acme ").action_confirm()
        self.assertEqual(self._only_command().command, "delete")

    def test_nothing_is_asked_of_what_is_being_deleted(self):
        self._dialog("delete", confirm_name="acme").action_confirm()
        for command in ("restart", "stop", "suspend", "extend", "change_plan", "rebuild", "delete"):
            with self.subTest(command=command), self.assertRaises(UserError):
                getattr(self._as(self.saas_manager), f"action_{command}")()
        self.instance.command_ids.state = "done"
        self.instance.write({"hold": "deleted", "state": "error"})
        with self.assertRaises(UserError):
            self._as(self.saas_manager).action_restart()
        self._as(self.saas_user).action_retry()

    def test_delete_without_a_copy(self):
        for state, hold in (("deleting", "deleted"), ("suspended", "none")):
            with self.subTest(state=state):
                self.instance.command_ids.unlink()
                self.instance.write({"state": state, "hold": hold})
                with self.assertRaises(AssertionError):
                    self._dialog("delete_without_copy", confirm_name="acme")
                with self.assertRaises(UserError):
                    self._dialog("delete_without_copy", confirm_name="acm", reason="A row is too long").action_confirm()
                self.assertFalse(self.instance.command_ids)
                self._dialog("delete_without_copy", confirm_name="acme", reason="A row is too long").action_confirm()
                command = self._only_command()
                self.assertEqual((command.command, command.reason), ("delete_without_copy", "A row is too long"))
                self.assertEqual(command.requested_by, self.saas_manager)

    def test_a_second_one_waits_for_the_first(self):
        self._dialog("extend", days=5, reason="gift").action_confirm()
        with self.assertRaises(UserError):
            self._dialog("extend", days=9, reason="more").action_confirm()
        self.assertEqual(self._only_command().days, 5)
        self.instance.command_ids.state = "done"
        self._dialog("extend", days=9, reason="more").action_confirm()
        self.assertEqual(self.env["saas.command"].search([("state", "=", "pending")]).days, 9)

    def test_what_is_on_its_way(self):
        mine = self._as(self.saas_manager)
        mine.action_restart()
        mine._request_command("extend", days=1, reason="gift")
        self.assertEqual(mine.pending_commands, "Restart, Extend")
        self.instance.command_ids.state = "done"
        self.assertFalse(mine.pending_commands)

    def test_arguments_cannot_be_changed_afterwards(self):
        mine = self._as(self.saas_manager)
        mine._request_command("extend", days=1, reason="gift")
        for values in ({"days": 100}, {"state": "done"}, {"plan_id": self.big.id}):
            with self.subTest(values=values), self.assertRaises(AccessError):
                mine.command_ids.write(values)
        with self.assertRaises(AccessError):
            mine.command_ids.unlink()
