/**
 * The customer's pages of their instances: what is being prepared shows itself, and the password on request.
 *
 * Plain DOM, no framework: the same file serves 17, 18 and 19.
 */
const POLL_MS = 2000;
const SLOW_MS = 10000;
// After five minutes it is no longer a matter of seconds.
const SLOW_AFTER_MS = 5 * 60 * 1000;

/** Asks for the box's state until the server says that nothing more is to come, and puts in what is new. */
function watch(box) {
    const content = box.querySelector(".js_saas_content");
    const said = box.querySelector(".js_saas_said");
    const began = Date.now();
    let version = box.dataset.version || "";

    async function look() {
        if (!box.isConnected) {
            return;
        }
        let again = true;
        // A page nobody looks at asks nothing.
        if (!document.hidden) {
            try {
                const reply = await fetch(box.dataset.url, { credentials: "same-origin" });
                if (reply.ok) {
                    const news = await reply.json();
                    show(news);
                    again = news.poll;
                } else if (reply.status < 500) {
                    // Logged out, or no longer theirs.
                    again = false;
                }
            } catch {
                // No network for a moment: the next look may have it.
            }
        }
        if (again) {
            setTimeout(look, Date.now() - began > SLOW_AFTER_MS ? SLOW_MS : POLL_MS);
        }
    }

    function show(news) {
        if (news.version === version) {
            return;
        }
        version = news.version;
        const focused = content.contains(document.activeElement) ? document.activeElement.id : "";
        // The server's own template: everything in it is escaped there.
        content.innerHTML = news.html;
        if (focused && document.getElementById(focused)) {
            document.getElementById(focused).focus();
        }
        if (said) {
            said.textContent = news.text || "";
        }
    }

    if (box.dataset.poll) {
        look();
    }
}

/** The confirmation page of the shop knows its order only: the box of its instances goes beneath. */
function addOrderBox(status) {
    const box = document.createElement("div");
    box.className = "js_saas_live o_saas_page mt-3";
    box.dataset.url = `/my/instances/order/${encodeURIComponent(status.dataset.orderId)}/status`;
    box.dataset.poll = "1";
    const content = document.createElement("div");
    content.className = "js_saas_content";
    content.setAttribute("role", "status");
    content.setAttribute("aria-live", "polite");
    box.append(content);
    status.after(box);
    return box;
}

async function showPassword(form) {
    const button = form.querySelector("button");
    const place = form.querySelector(".js_saas_password_text");
    if (button.getAttribute("aria-pressed") === "true") {
        place.textContent = "••••••••";
        button.textContent = button.dataset.show;
        button.setAttribute("aria-pressed", "false");
        return;
    }
    const reply = await fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin" });
    if (!reply.ok) {
        // The session has ended: the page asks for the login.
        window.location.reload();
        return;
    }
    place.textContent = (await reply.json()).password;
    button.textContent = button.dataset.hide;
    button.setAttribute("aria-pressed", "true");
}

function start() {
    const status = document.querySelector("[name='order_confirmation'][data-order-id]");
    if (status && !document.querySelector(".js_saas_live")) {
        addOrderBox(status);
    }
    document.querySelectorAll(".js_saas_live").forEach(watch);
    document.addEventListener("submit", (event) => {
        if (event.target.matches(".js_saas_password")) {
            event.preventDefault();
            showPassword(event.target);
        } else if (event.target.matches(".js_saas_once")) {
            // A double click asks once. Later, so that the button's own form still goes.
            setTimeout(() => event.target.querySelectorAll("button").forEach((button) => (button.disabled = true)));
        }
    });
    // Back from the payment page: the button can be used again.
    window.addEventListener("pageshow", () => {
        document.querySelectorAll(".js_saas_once button").forEach((button) => {
            button.disabled = button.hasAttribute("data-off");
        });
    });
}

if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
} else {
    start();
}
