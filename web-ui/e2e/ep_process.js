// The process of a quick EP: see `quick_ep.ts`. Apart from the browsers, as every EP is, and from what drives them.

/** How often it tells: often enough that nothing comes in gusts. */
const TICK_MILLIS = 10;

const [address = '', hello = '', wanted = ''] = process.argv.slice(2);
const perSecond = Number(wanted);
const socket = new WebSocket(address, 'jackfield.v1');
const given = [];
let seq = 0;

const say = (message) => socket.send(JSON.stringify(message));
const report = (what) => say({ type: 'report', seq: ++seq, report: what });
const outcome = { verdict: 'PASS', decided_by: { rule: 'declared' } };

/** Two events for each attempt; what a late timer has missed is made good, up to a tenth of a second of it. */
function serve() {
    let last = performance.now();
    let due = 0;
    setInterval(() => {
        const now = performance.now();
        due = Math.min(due + ((now - last) * perSecond) / 2_000, perSecond / 20);
        last = now;
        const ready = given.splice(0, Math.floor(due));
        due -= Math.floor(due);
        for (const attempt of ready) {
            const at = new Date().toISOString();
            report({ kind: 'started', attempt, at });
            report({ kind: 'ended', attempt, at, elapsed_millis: 0, outcome });
        }
    }, TICK_MILLIS);
}

socket.onopen = () => say(JSON.parse(hello));
socket.onclose = ({ reason }) => {
    console.error(`the link was closed: ${reason}`);
    process.exit(1);
};
socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'assign') given.push(message.attempt);
    else if (message.type === 'heartbeat') say({ type: 'heartbeat' });
    else if (message.type === 'take_back') {
        const back = message.attempts ?? [];
        given.splice(0, given.length, ...given.filter((attempt) => !back.includes(attempt)));
        say({ type: 'returned', attempts: back });
    } else if (message.type === 'welcome') {
        serve();
        process.send?.('welcome');
    } else if (message.type === 'refused') {
        console.error(data);
        process.exit(1);
    }
};
process.on('disconnect', () => process.exit(0));
