// What a packet is, as far down as is of use to who looks over a capture: the protocol by its name, of TCP, UDP and SCTP by its port.

const ETHERTYPES: Record<number, string> = {
    0x0806: 'ARP',
    0x88cc: 'LLDP',
    0x8847: 'MPLS',
    0x8848: 'MPLS',
    0x8863: 'PPPoE',
    0x8864: 'PPPoE',
    0x888e: '802.1X',
    0x8809: 'LACP and OAM',
    0x8902: 'CFM',
    0x88f7: 'PTP',
};
const TCP = 6;
const UDP = 17;
const SCTP = 132;
const IP_PROTOCOLS: Record<number, string> = {
    1: 'ICMP',
    2: 'IGMP',
    [TCP]: 'TCP',
    [UDP]: 'UDP',
    46: 'RSVP',
    47: 'GRE',
    50: 'ESP',
    58: 'ICMPv6',
    88: 'EIGRP',
    89: 'OSPF',
    103: 'PIM',
    112: 'VRRP',
    115: 'L2TP',
    [SCTP]: 'SCTP',
};
/** Services that labs look for, by the port that one of the two sides has. */
const SERVICES: Record<number, Record<number, string>> = {
    [TCP]: {
        21: 'FTP',
        22: 'SSH',
        23: 'Telnet',
        49: 'TACACS+',
        53: 'DNS',
        80: 'HTTP',
        179: 'BGP',
        443: 'HTTPS',
        646: 'LDP',
        830: 'NETCONF',
        3868: 'Diameter',
        5060: 'SIP',
    },
    [UDP]: {
        53: 'DNS',
        67: 'DHCP',
        68: 'DHCP',
        69: 'TFTP',
        123: 'NTP',
        161: 'SNMP',
        162: 'SNMP',
        319: 'PTP',
        320: 'PTP',
        443: 'QUIC',
        500: 'IKE',
        514: 'syslog',
        520: 'RIP',
        546: 'DHCPv6',
        547: 'DHCPv6',
        646: 'LDP',
        1812: 'RADIUS',
        1813: 'RADIUS',
        2123: 'GTP-C',
        2152: 'GTP-U',
        3784: 'BFD',
        4789: 'VXLAN',
        5060: 'SIP',
        5353: 'mDNS',
        8805: 'PFCP',
    },
    [SCTP]: { 2905: 'M3UA', 3868: 'Diameter', 36412: 'S1AP', 36422: 'X2AP', 38412: 'NGAP' },
};

/** Where a packet's ethertype and what follows it stand, by its `LINKTYPE_…`. */
const LINKS: Record<number, { type: number; rest: number }> = {
    1: { type: 12, rest: 14 },
    // Linux "cooked" captures, of all interfaces at once.
    113: { type: 14, rest: 16 },
    276: { type: 0, rest: 20 },
};
const OTHER_LINKS: Record<number, string> = {
    105: '802.11',
    127: '802.11',
    195: '802.15.4',
    189: 'USB',
    220: 'USB',
    227: 'CAN',
    141: 'SS7 MTP3',
    140: 'SS7 MTP2',
};
/** What begins with an IP header, and what has four bytes before it. */
const BARE = [12, 14, 101, 228, 229];
const LOOPBACK = [0, 108];

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
/** Tags of virtual networks, each four bytes before the type that counts. */
const TAGS = [0x8100, 0x88a8, 0x9100];

/** The protocol of a packet. */
export function protocolOf(link: number, packet: DataView): string {
    const begin = LINKS[link];
    if (begin === undefined) {
        if (LOOPBACK.includes(link)) return versioned(packet, 4);
        return BARE.includes(link) ? versioned(packet, 0) : (OTHER_LINKS[link] ?? 'of a kind not known here');
    }
    if (packet.byteLength < begin.rest) return 'cut';
    let [type, at] = [packet.getUint16(begin.type), begin.rest];
    while (TAGS.includes(type) && packet.byteLength >= at + 4) {
        [type, at] = [packet.getUint16(at + 2), at + 4];
    }
    if (type < 0x0600) return 'STP and LLC';
    if (type === IPV4 || type === IPV6) return ip(packet, at, type);
    return ETHERTYPES[type] ?? `0x${type.toString(16).padStart(4, '0')}`;
}

/** An IP packet, whose first four bits say which. */
function versioned(packet: DataView, at: number): string {
    if (packet.byteLength <= at) return 'cut';
    const version = packet.getUint8(at) >> 4;
    return version === 4 ? ip(packet, at, IPV4) : version === 6 ? ip(packet, at, IPV6) : 'not IP';
}

function ip(packet: DataView, at: number, type: number): string {
    const isOld = type === IPV4;
    const place = at + (isOld ? 9 : 6);
    if (packet.byteLength <= place) return isOld ? 'IPv4' : 'IPv6';
    const protocol = packet.getUint8(place);
    const name = IP_PROTOCOLS[protocol] ?? (isOld ? 'IPv4' : 'IPv6');
    const services = SERVICES[protocol];
    // Of a fragment, only the first has ports.
    const isFragment = isOld && (packet.getUint16(at + 6) & 0x1fff) !== 0;
    const ports = at + (isOld ? (packet.getUint8(at) & 0x0f) * 4 : 40);
    if (services === undefined || isFragment || packet.byteLength < ports + 4) return name;
    return services[packet.getUint16(ports + 2)] ?? services[packet.getUint16(ports)] ?? name;
}
