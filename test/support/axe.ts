/** What axe-core finds on a page of ours. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Where the back office shows what is ours; its frame is not. */
const OFFICE = ['.o_action_manager', '.o_dialog'];
/** Parts of Odoo's own pages that axe complains of, and that we neither make nor change. */
const ODOOS_OWN = [
  // Log in, sign up
  '.o_show_password',
  'a[href*="/web/reset_password"]',
  // The shop: the cart in the header, filters, steps of the checkout, the Demo provider
  'header a[href$="/shop/cart"]',
  '#products_grid_before',
  '.o_wsale_offcanvas',
  '.o_wsale_offcanvas_title',
  '.o_wsale_filmstrip_container',
  '[name=step_name]',
  '.css_quantity',
  '#o_payment_form',
  'i[role=img]',
  // My account, and the payment of a quotation
  '.o_portal_icon img',
  '#modalaccept',
  // The back office: control panel, chatter, tabs, widgets of fields, and the colors of its theme
  '.o_control_panel',
  '.o-mail-Form-chatter',
  '.o-mail-Chatter',
  '.o_notebook_headers',
  '.o_progress',
  '.o_clipboard_button',
  '.o-mail-Avatar',
  '.o_form_label',
  '.badge',
  '.o_widget_web_ribbon',
  '[name=order_line]',
  '[name=note]',
  '[name=invoice_line_ids]',
  '.o_list_record_selector',
  '.o_optional_columns_dropdown',
  '.o_list_actions_header',
  'tr.text-muted',
  '.o_pivot',
  '.settings_tab',
  '.o_setting_right_pane .text-muted',
  '.o_select_menu',
  '.o_select_menu_toggler',
];

const list = (selectors: readonly string[]): string => JSON.stringify(selectors.map((selector) => [selector]));
const FINDINGS = `axe.run({
    include: document.querySelector('.o_web_client') ? ${list(OFFICE)} : [['html']],
    exclude: ${list(ODOOS_OWN)},
  }, { resultTypes: ['violations'], rules: { 'aria-dialog-name': { enabled: !document.querySelector('.o_web_client') } } }).then(({ violations }) => violations
  .filter(({ impact }) => impact === 'serious' || impact === 'critical')
  .flatMap(({ id, help, nodes }) => nodes.map(({ html, target }) =>
    [id, help, target.join(' '), html].join(': ').slice(0, 300))))`;

/** The serious and critical findings, a line each. */
export async function findingsOn(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate<string[]>(FINDINGS);
}
