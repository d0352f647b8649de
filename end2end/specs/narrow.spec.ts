// Nothing scrolls sideways: on a phone, and at a desk with everything twice as large, which leaves half the width.
import { rmSync } from "node:fs";
import { define, directory } from "../host.js";
import { expect, make, test } from "./paddock.js";

const pages = [
  "/", "/guests", "/guests?q=nothing-like-it", "/guests?group=status", "/guests/crun/{name}", "/guests/crun/{name}/plan/stop",
  "/guests/lxc/mail/plan/delete", "/guests/plan?action=stop&guest=crun/{name}", "/guests/new", "/history",
  "/history?guest=a%20b&colour=red", "/history/1", "/nodes", "/nodes/{node}", "/access", "/access/users/admin",
  "/access/groups", "/access/roles", "/access/grants", "/access/history", "/account", "/account/password",
  "/account/factor", "/guests/lxc/nobody",
];

for (const [what, width, height] of [["on a phone", 390, 844], ["at 200 %", 720, 450], ["at 400 %", 360, 225]] as const) {
  test(`no page scrolls sideways ${what}`, async ({ admin, js }) => {
    test.setTimeout(180_000);
    test.skip(!js, "it is measured by a script");
    // As long as a name of a crun container may well be.
    const name = await make(admin, `a-name-of-sixty-letters-as-some-people-and-all-machines-like${width}`);
    await admin.goto("/nodes");
    const node = (await admin.locator(".node-card h2").first().innerText()).trim();
    await admin.setViewportSize({ width, height });
    const wide: string[] = [];
    for (const path of pages) {
      await admin.goto(path.replace("{name}", name).replace("{node}", node));
      await expect(admin.getByRole("heading").first()).toBeVisible();
      const over = await admin.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (over > 0) wide.push(`${path}: ${over} px`);
    }
    expect(wide).toEqual([]);
  });
}

test("a guest's name is whole, however many tags it has; of these there are as many as have room", async ({ admin, js }) => {
  test.skip(!js, "it is measured by a script");
  const name = "with-tags-of-its-own";
  define(name, ["one", "another", "a-long-one-that-has-no-room", "last"].map((tag) => `lxc.group = ${tag}\n`).join(""));
  for (const width of [1440, 390]) {
    await admin.setViewportSize({ width, height: 800 });
    await admin.goto(`/guests?q=name:${name}`);
    const row = admin.getByRole("row").filter({ hasText: name });
    const link = row.getByRole("link", { name, exact: true });
    await expect(link).toBeVisible();
    expect(await link.evaluate((it) => it.scrollWidth - it.clientWidth)).toBe(0);
    // A tag is seen or not: none is cut through.
    const cut = await row.locator(".name-more").evaluate((box) => {
      const room = box.getBoundingClientRect();
      const isSeen = (tag: Element) => tag.getBoundingClientRect().top < room.bottom;
      return [...box.querySelectorAll(".tag")].filter((tag) => isSeen(tag) && tag.getBoundingClientRect().right > room.right + 1).length;
    });
    expect(cut).toBe(0);
  }
  rmSync(directory(name), { recursive: true });
});
