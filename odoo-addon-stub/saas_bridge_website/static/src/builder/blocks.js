import { Plugin } from "@html_editor/plugin";
import { registry } from "@web/core/registry";

/** Our small blocks may be dropped and moved inside others; sections may be by themselves. */
class SaasBlocksPlugin extends Plugin {
    static id = "saasBlocks";
    resources = {
        so_content_addition_selector: [".s_saas_start", ".s_saas_company"],
    };
}

registry.category("website-plugins").add(SaasBlocksPlugin.id, SaasBlocksPlugin);
