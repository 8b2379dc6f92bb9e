// What the tour writes for a newcomer, as a person would write it by hand. Pure.

export const PROJECT = 'first-device';
export const FILE = 'first-device.steps.toml';

/** How a device is reached, as somebody has filled it in. */
export type Device = {
    name: string;
    protocol: 'telnet' | 'ssh';
    host: string;
    port: string;
    user: string;
    password: string;
    profile: string;
};

export const PROFILES: readonly string[] = [
    'linux',
    'ios',
    'iosxr',
    'nxos',
    'eos',
    'junos',
    'vrp',
    'frr',
    'vyos',
    'sros',
    'srlinux',
    'routeros',
    'procurve',
    'fortios',
    'panos',
    'asa',
    'asterisk',
    'generic',
];

/** The properties of its resource: what was left empty is what is usual. */
export function propertiesOf(device: Device): Record<string, string> {
    const { name: _, ...all } = device;
    const said = Object.entries(all).map(([key, value]) => [key, value.trim()] as const);
    return Object.fromEntries(said.filter(([, value]) => value !== ''));
}

const quoted = (text: string): string => JSON.stringify(text);

/** What is typed on the machine that shall run tests. */
export function epCommands(engine: string, name: string, token: string): string {
    return `cat > ep.toml <<'END'
name = ${quoted(name)}
engine = ${quoted(engine)}
token = ${quoted(token)}
END
jackfield ep --config ep.toml
`;
}

/** A test in steps: it opens a session with the device, and asks it something. */
export function testText(path: string, command: string): string {
    return `# A step test needs no programming language: the book says more under "Steps".
title = ${quoted(`${path} answers`)}

[sessions.device]
resource = ${quoted(path)}

[[steps]]
command = ${quoted(command)}
`;
}

/** A project with that test alone. */
export function projectText(): string {
    return `<?xml version="1.0" encoding="UTF-8"?>
<Root>
    <TestSuite>
        <tsName>First device</tsName>
        <TestCase>
            <tcName>${FILE}</tcName>
            <Timeout>60s</Timeout>
        </TestCase>
    </TestSuite>
</Root>
`;
}
