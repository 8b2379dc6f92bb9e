// What assistive technology needs of a page, looked at by axe.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

type Violation = { id: string; impact: string; nodes: { html: string; failureSummary: string }[] };

/** The serious violations of what is on the page now. */
export async function violations(page: Page): Promise<string[]> {
    // Not a script of the page: what is tried here is the page, and its content policy stays.
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => {
        const axe = (
            globalThis as unknown as { axe: { run(options: object): Promise<{ violations: Violation[] }> } }
        ).axe;
        return (await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }))
            .violations;
    });
    const bad = found.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    return bad.flatMap(({ id, nodes }) =>
        nodes.map(
            ({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary.slice(0, 300)}`,
        ),
    );
}
