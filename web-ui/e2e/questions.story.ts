// Everything that a test can ask a person, answered in the page; and a breakpoint, which shows where it is and goes on.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { SmallLab } from './small_lab';

let lab: SmallLab;
let browser: Browser;

const ASKS = `import jackfield
print("text", jackfield.interact("input", "Which port?", default="ge0/1"))
print("choice", jackfield.interact("options", "Which cable?", options=["copper", "fibre <b>"]))
print("lamp", jackfield.interact("decide", "Is the lamp on?"))
print("read", jackfield.interact("message", "Plug the cable into ge0/7."))
print("nobody", jackfield.interact("decide", "Nobody answers this.", timeout=1, default=True))
serial = "JF-0417"
jackfield.breakpoint()
print("gone on")
`;

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test('asks.py', ASKS);
    await lab.project('asks', { Hands: ['asks.py'] });
    await lab.user('viewer', 'looks at everything', [], ['VIEW_REPORTS']);
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

test('questions of every kind are answered where they are asked', async () => {
    const run = await lab.run('asks');
    const { page, watch } = await Person.open(browser, lab);
    const viewer = await Person.open(browser, lab, 'viewer', 'looks at everything');
    await viewer.page.goto(`/runs/${run}`);
    await page.goto(`/runs/${run}`);
    const card = page.getByRole('region', { name: 'Questions' });

    // The default stands in the field, and another answer is typed over it.
    const field = card.getByRole('textbox', { name: 'Which port?' });
    await field.waitFor();
    expect(await field.inputValue()).toBe('ge0/1');
    // Who may not answer is told who may, and has no button.
    const seen = viewer.page.getByRole('region', { name: 'Questions' });
    await seen.getByText('admin may answer, or someone with CHANGE_SERVICES.').waitFor();
    expect(await seen.getByRole('button').count()).toBe(0);
    await field.fill('ge0/7');
    await field.press('Enter');

    await card.getByText('Which cable?').waitFor();
    await card.getByRole('button', { name: 'fibre <b>' }).click();
    await card.getByText('Is the lamp on?').waitFor();
    await card.getByRole('button', { name: 'No' }).click();
    await card.getByText('Plug the cable into ge0/7.').waitFor();
    await card.getByRole('button', { name: 'Go on' }).click();
    // How long is left is told, and then nobody has to do anything.
    await card.getByText('Nobody answers this.').waitFor();
    await card.getByText(/left$/).waitFor();

    // The breakpoint: the file, the line and what the variables are.
    await card.getByText('A test has stopped here').waitFor();
    await card.getByText("serial = 'JF-0417'").waitFor();
    await card.getByText(/asks\.py:8/).waitFor();
    await card.getByRole('button', { name: 'Go on' }).click();
    await lab.reached(run, 'completed');

    await page.getByRole('grid').getByRole('row').nth(1).click();
    for (const line of ['text ge0/7', 'choice fibre <b>', 'lamp False', 'nobody True', 'gone on']) {
        await page.locator('.line', { hasText: line }).first().waitFor();
    }
    await page.goto(`/runs/${run}?view=story`);
    await page.getByText('admin answered "ge0/7".').waitFor();
    await page.getByText('Nobody answered; true was taken.').waitFor();
    expect([...watch.faults, ...viewer.watch.faults]).toEqual([]);
});
