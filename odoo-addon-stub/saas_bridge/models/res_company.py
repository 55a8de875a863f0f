from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    saas_user_id = fields.Many2one(
        "res.users",
        string="Person for SaaS",
        domain=lambda self: [("share", "=", False), ("all_group_ids", "in", self.env.ref("saas_bridge.group_user").ids)],
        help="Gets the to-dos and the customers' messages about instances where no salesperson is known. "
        "Without one the SaaS managers of the company do.",
    )
