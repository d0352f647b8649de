// What axe-core finds on each page, light and dark, at a desk and on a phone: nothing.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { ended, expect, make, ready, test } from "./paddock.js";

test.beforeEach(({ js }) => test.skip(!js, "the rules are scripts; the pages are the same"));

/** Every page with something on it: `{name}` is a guest of this test, `{id}` an operation on it, `{whole}` a bulk action. */
const pages: [string, string][] = [
  ["dashboard", "/"],
  ["dashboard under the palette", "/"],
  ["dashboard under the list of keys", "/"],
  ["nodes", "/nodes"],
  ["node", "/nodes/{node}"],
  ["no such node", "/nodes/nowhere"],
  ["guests", "/guests"],
  ["guests, some chosen", "/guests"],
  ["guests, none found", "/guests?q=nothing-like-it"],
  ["plan of chosen guests", "/guests/plan?action=stop&guest=crun/{name}&guest=lxc/mail"],
  ["plan of no guest", "/guests/plan"],
  ["guest", "/guests/crun/{name}"],
  ["timeline", "/guests/crun/{name}/timeline"],
  ["configuration", "/guests/crun/{name}/configuration"],
  ["snapshots", "/guests/lxc/mail/snapshots"],
  ["snapshots, of a backend without", "/guests/crun/{name}/snapshots"],
  ["exec", "/guests/crun/{name}/exec?command=ls%20-l"],
  ["form of an action", "/guests/lxc/mail/do/clone"],
  ["plan", "/guests/crun/{name}/plan/stop"],
  ["plan of a delete", "/guests/lxc/mail/plan/delete"],
  ["new guest", "/guests/new"],
  ["new guest, how big", "/guests/new?backend=lxc&name=web1&step=size"],
  ["new guest, check", "/guests/new/plan?backend=lxc&name=web1&source=template&template=busybox"],
  ["history", "/history?guest=crun/{name}&from=1d&user=admin"],
  ["history, a filter that makes no sense", "/history?guest=a%20b&backend=xen&from=soon&colour=red"],
  ["history, nothing found", "/history?text=nothing-like-it"],
  ["operation", "/history/{id}"],
  ["bulk action", "/history/{whole}"],
  ["operation again", "/history/{id}/again"],
  ["users", "/access"],
  ["user", "/access/users/admin"],
  ["no such user", "/access/users/nobody"],
  ["groups", "/access/groups"],
  ["roles", "/access/roles"],
  ["grants", "/access/grants"],
  ["who had which role", "/access/history"],
  ["who had which role, of a time that is not known", "/access/history?at=1999-01-01&user=admin"],
  ["account", "/account"],
  ["password", "/account/password"],
  ["second factor", "/account/factor"],
  ["not found", "/guests/lxc/nobody"],
];

for (const width of [1440, 390]) {
  test(`axe-core finds nothing on any page, light and dark, ${width} wide`, async ({ admin, js }) => {
    test.setTimeout(240_000);
    const name = await make(admin, "axe");
    const id = await ended(admin, "/api/guests/act", { backend: "crun", name, action: "start" });
    const other = await make(admin, "axe-other");
    const form = { action: "start", "guests[0]": `crun/${name}`, "guests[1]": `crun/${other}` };
    const whole = await ended(admin, "/api/guests/act-on-all", form);
    await admin.setViewportSize({ width, height: width === 390 ? 844 : 900 });

    const found: string[] = [];
    await admin.goto("/nodes");
    const node = (await admin.locator(".node-card h2").first().innerText()).trim();
    for (const [page, path] of pages) {
      const filled = path.replaceAll("{name}", name).replace("{id}", `${id}`).replace("{whole}", `${whole}`);
      await admin.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
      await admin.goto(filled.replace("{node}", node));
      await expect(admin.getByRole("heading").first()).toBeVisible();
      const over = { "dashboard under the palette": "Control+k", "dashboard under the list of keys": "?" }[page];
      if (over) {
        await ready(admin, js);
        await admin.keyboard.press(over);
        await expect(admin.getByRole("dialog")).toBeVisible();
        if (over !== "?") await expect(admin.getByRole("dialog").getByRole("option").first()).toBeVisible();
      }
      if (page === "guests, some chosen") {
        await ready(admin, js);
        await admin.getByRole("checkbox", { name: "Choose mail", exact: true }).check();
      }
      found.push(...(await lasting(admin, page)));
      // In the dark the same document has other colours, and nothing else is different.
      await admin.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
      found.push(...(await lasting(admin, `${page}, dark`, ["color-contrast"])));
    }
    expect(found).toEqual([]);
  });
}

test("axe-core finds nothing where one logs in", async ({ page }) => {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.goto("/login");
    expect(await violations(page, `log in, ${colorScheme}`)).toEqual([]);
  }
});

/** What stays so: while a page's own WebAssembly is on its way the document has no title for a moment. */
async function lasting(page: Page, where: string, rules?: string[]): Promise<string[]> {
  let last: string[] = [];
  await expect(async () => expect((last = await violations(page, where, rules))).toEqual([]))
    .toPass({ timeout: 6_000 })
    .catch(() => {});
  return last;
}

/** `where: rule: what of the page breaks it`; by all rules, or by these alone. */
async function violations(page: Page, where: string, rules?: string[]): Promise<string[]> {
  const axe = new AxeBuilder({ page });
  const { violations } = await (rules ? axe.withRules(rules) : axe).analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${where}: ${id}: ${target.join(" ")}: ${failureSummary}`),
  );
}
