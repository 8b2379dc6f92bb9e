// Reports of the lab's own database: opened from the menu, given their values, sorted, filtered, paged, drawn, exported.

import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { SmallLab } from './small_lab';

const DB = `<root>
<db_config><url>sqlite:results.db</url></db_config>
<reports_section>
<field ID="Run" Label="Select run" Type="UserSelect" SQLQuery="SELECT DISTINCT run FROM results ORDER BY run"/>
<report ID="Summary" Type="PieChart" SQLQuery="SELECT status, COUNT(*) AS tests FROM results WHERE run = '@Run@' GROUP BY status ORDER BY status"/>
<report ID="Rate" Type="LineChart" Folder="History" SQLQuery="SELECT day, COUNT(*) AS passed FROM results WHERE status = 'PASS' GROUP BY day ORDER BY day"/>
<report ID="Details" Type="Table" Folder="History" SQLQuery="SELECT id, run, name, status, log FROM results ORDER BY id"/>
<report ID="Wrong" Type="Table" SQLQuery="SELECT id FROM nowhere"/>
<redirect ID="Wiki" Path="http://wiki.example.org/"/>
<redirect ID="Script" Path="javascript:alert(1)"/>
</reports_section>
</root>
`;

const ROWS = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("CREATE TABLE results (id INTEGER, run INTEGER, day DATE, name TEXT, status TEXT, log TEXT)")
rows = [(n, n % 3 + 1, "2026-11-%02d" % (n % 28 + 1), "test %d" % n, "FAIL" if n % 5 == 0 else "PASS", "<b>line</b> " * (30 if n == 7 else 1)) for n in range(1, 251)]
db.executemany("INSERT INTO results VALUES (?, ?, ?, ?, ?, ?)", rows)
db.commit()
`;

let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start({ eps: [] });
    execFileSync('python3', ['-c', ROWS, join(lab.folder, 'results.db')]);
    await writeFile(join(lab.folder, 'db.xml'), DB);
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

test('a report is chosen, given its value, and drawn', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.getByRole('link', { name: 'Reports' }).click();
    await page.getByRole('link', { name: 'Summary' }).click();
    await page.getByText('It needs Select run.').waitFor();
    await page.getByLabel('Select run').selectOption('2');
    const pie = page.getByRole('img', { name: /Summary.*FAIL: \d+, PASS: \d+/ });
    await pie.waitFor();
    expect(await pie.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(800);
    expect(new URL(page.url()).searchParams.get('f.Run')).toBe('2');
    await page.goBack();
    await page.getByText('It needs Select run.').waitFor();
    expect(watch.faults).toEqual([]);
});

test('the database sorts, filters and pages a table', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/reports/Details');
    await page.getByText('Rows 1 to 100').waitFor();
    await page.getByRole('button', { name: 'Count all' }).click();
    await page.getByText('Rows 1 to 100 of 250').waitFor();
    await page.getByRole('button', { name: 'On' }).click();
    await page.getByRole('cell', { name: 'test 101', exact: true }).waitFor();
    await page.getByRole('button', { name: 'id', exact: true }).click();
    await page.getByRole('button', { name: 'id ↑' }).click();
    await page.getByRole('cell', { name: 'test 250', exact: true }).waitFor();
    await page.getByLabel('Filter rows').fill('test 7');
    await page.getByText('Rows 1 to 11').waitFor();
    // What a test printed is text, and a long one opens on a click.
    await page.getByRole('button', { name: /<b>line<\/b>.*…/ }).click();
    await page.getByText('<b>line</b> '.repeat(30).trim()).waitFor();
    expect(watch.faults).toEqual([]);
});

test('days are a line, and all of a report is a file', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/reports/Rate');
    await page.locator('canvas').waitFor();
    const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'CSV' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('Rate.csv');
    const refused = await page.request.get('/api/v1/reports/Wrong/rows');
    expect([refused.status(), await refused.text()]).toEqual([422, expect.stringContaining('no such table')]);
    expect(watch.faults).toEqual([]);
});

test('what is wrong with a report is told, and no address of it runs', async () => {
    const { page } = await Person.open(browser, lab);
    await page.goto('/reports/Wrong');
    await page.getByText('no such table: nowhere').first().waitFor();
    await page.getByRole('link', { name: /Wiki/ }).waitFor();
    expect(await page.getByRole('link', { name: /Script/ }).count()).toBe(0);
});
