/** The ways of staff through the master's back office, by clicks and keys in a browser. */
import type { Page } from 'playwright-core';
import type { MasterState } from '../../compose/demo/master.js';
import type { Onlooker } from './browser.js';
import { logIn } from './shopping.js';
import type { World } from './world.js';

export type Colleague = 'sales' | 'manager' | 'admin';

/** Logs a colleague in, who has the language of the look from now on. */
export async function enterOffice(w: World, one: Onlooker, who: Colleague): Promise<void> {
  const { login, password } = loginOf(w.master, who);
  const ids = await w.admin.call('res.users', 'search', [[['login', '=', login]]]);
  await w.admin.call('res.users', 'write', [ids, { lang: one.look.lang }]);
  await one.goto('/web/login?redirect=/odoo');
  await logIn(one.page, login, password);
  await one.page.locator('.o_main_navbar').waitFor();
}

function loginOf(master: MasterState, who: Colleague): { login: string; password: string } {
  return { login: master[`${who}_login`], password: master[`${who}_password`] };
}

/** Opens the form of a record. */
export async function openForm({ page }: Onlooker, model: string, id: number): Promise<void> {
  await page.goto(`/odoo/${model}/${id}`);
  await page.locator('.o_form_view .o_form_sheet, .o_form_view .o_form_sheet_bg').first().waitFor();
}

/** Opens what a menu opens, by the name of its action. */
export async function openAction({ page }: Onlooker, action: string, view = ''): Promise<void> {
  await page.goto(`/odoo/action-saas_bridge.${action}${view && `?view_type=${view}`}`);
  await page.locator('.o_action .o_content > *, .modal').first().waitFor();
}

/** Presses a button of the form's header; on a phone the buttons are in a menu. */
export async function pressHeader({ page, look }: Onlooker, name: string): Promise<void> {
  const button = page.locator(`.o_statusbar_buttons button[name=${name}], .o-dropdown--menu button[name=${name}]`);
  if (look.device === 'phone' && !(await button.first().isVisible())) {
    await page.locator('.o_statusbar_buttons button.o-dropdown').click();
  }
  await button.and(page.locator(':visible')).first().click();
}

/** Says yes to the question that is open. */
export async function confirm({ page }: Onlooker): Promise<void> {
  await page.locator('.modal-footer button.btn-primary:visible').first().click();
  await page.locator('.modal').waitFor({ state: 'hidden' });
}

/** Fills in a field of the dialog that is open. */
export async function fillIn({ page }: Onlooker, field: string, text: string): Promise<void> {
  const input = page.locator(`.modal [name=${field}] :is(input, textarea)`).first();
  await input.fill(text);
  await input.blur();
}

/** Waits until the form, left open, says so by itself. */
export async function showsState(page: Page, state: string): Promise<void> {
  await page
    .locator(
      `.o_field_statusbar [data-value="${state}"][aria-checked=true], .o_field_statusbar .o_arrow_button_current[data-value="${state}"]`,
    )
    .first()
    .waitFor({ state: 'attached' });
}
