import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { Component, onMounted, onWillUnmount, status, xml } from "@odoo/owl";

/** Reads an open form again when the server says that its instance changed. What somebody is editing stays. */
export class SaasLive extends Component {
    static template = xml`<span class="d-none"/>`;
    static props = { ...standardWidgetProps };

    setup() {
        const bus = useService("bus_service");
        const changed = (documents) => this.reload(documents);
        onMounted(() => bus.subscribe("saas_bridge.changed", changed));
        onWillUnmount(() => bus.unsubscribe("saas_bridge.changed", changed));
    }

    async reload(documents) {
        const { resModel, resId } = this.props.record;
        if (!resId || !documents[resModel]?.includes(resId) || (await this.props.record.isDirty())) {
            return;
        }
        try {
            await this.props.record.load();
        } catch (error) {
            // The form was left, or built anew by a button, while it read.
            if (status(this) === "destroyed") {
                return;
            }
            throw error;
        }
        this.env.bus.trigger("MAIL:RELOAD-THREAD", { model: resModel, id: resId });
    }
}

registry.category("view_widgets").add("saas_live", { component: SaasLive });
