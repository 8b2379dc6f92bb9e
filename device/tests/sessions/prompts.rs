//! Prompts and questions of shipped profiles as manuals and reports quote them from the makers' devices, each met by a session: one that is not
//! known ends a login, and one of configuration that is not known leaves a console in it.

use serde_json::json;

use crate::reports::{Far, TIMEOUT, log_in, says, told};

/// Profile, and prompts at which its devices stand outside of configuration.
const STANDS: [(&str, &[&str]); 20] = [
    // unicon's patterns, scrapli #291, oxidized's tests.
    (
        "ios",
        &[
            "R1>",
            "27N2(2960_PoE)>",
            "LAB-SW123_9200L#",
            "Router(boot)>",
            "sw1-stby#",
            "edge@site:1#",
            "R1#\x07",
        ],
    ),
    ("nxos", &["switch#", "n9k-1(standby)# ", "n9k-1(maint-mode)# ", "n9k-1-vdc2# "]),
    (
        "iosxr",
        &["RP/0/RP0/CPU0:xr1#", "RP/0/RSP0/CPU0:BNG(admin)#", "sysadmin-vm:0_RP0# ", "RP/B0/CB0/CPU0:ios#"],
    ),
    ("asa", &["\rLAB-ASA12-Oxidized-IPv6> ", "asa/context1/act/pri# ", "firepower#"]),
    ("eos", &["localhost>", "loc1-core01(s1)#", "leaf1.site.example#"]),
    // netmiko #298, #152, #643, #120; junos-eznc #505.
    (
        "junos",
        &[
            "lab@mx1> ",
            "root@% ",
            "root@vMX1_RE:~ # ",
            "root@:~ # ",
            "root@NET-Sandbox:RE:0% ",
            "%",
            "% ",
            "root%\t",
            "[vrf:none] root@re0:~# ",
            "{master:0}\r\nlab@ex1> ",
            "{primary:node0}\r\nlab@srx-b> ",
        ],
    ),
    // Nokia's guides of the 7705 and of the MD-CLI.
    ("sros", &["A:ALU-1# ", "*A:ALU-1# ", "B:pe1# "]),
    (
        "sros-md",
        &[
            "[/]\r\nA:admin@node-2# ",
            "[]\r\nA:admin@node-2# ",
            "[/show router \"Base\" bgp]\r\nA:admin@node-2# ",
        ],
    ),
    (
        "srlinux",
        &[
            "--{ running }--[  ]--\r\nA:ams01# ",
            "--{ + running }--[ interface ethernet-1/1 ]--\r\nA:admin@ams01# ",
        ],
    ),
    // scrapli_community #145 and #195, oxidized #1629, netmiko #326.
    (
        "vrp",
        &[
            "<HUAWEI>",
            "HRP_M<FW1>",
            "HRP_A<ACTIVE>",
            "RBM_P<BJTTCYY-CMNET-C02-41U-F5000M-1>",
            "<HLW-Dmzyu_Cgsvpn_DX_FW>",
        ],
    ),
    ("vrp8", &["<HUAWEI>", "<NE-8000.site>"]),
    ("zte", &["ZXR10>", "ZXAN#", "ZXR10_5960# "]),
    // oxidized #3846 and its tests.
    ("fortios", &["FGT1 # ", "oxidized-Firewall123 # ", "hostname(Primary) # ", "FGT-vd $ "]),
    ("panos", &["ntc@pa1> ", "admin@PA-5220-100(active-primary)> ", "corp\\admin@fw1(passive)> "]),
    // scrapli_community #20.
    (
        "routeros",
        &[
            "[admin@MikroTik] > ",
            "[ravenich@Test Router] > ",
            "[admin@MikroTik] /ip/route> ",
            "[ravenich@Test Router] <SAFE> ",
            "[admin@MikroTik] ip route<SAFE> ",
        ],
    ),
    ("procurve", &["HP-5406zl# ", "ProCurve Switch 2530-24G# ", "\rHP-2920-24G# ", "Aruba-2930F> "]),
    ("aoscx", &["LAB-SW1234# ", "OX-SW123# "]),
    ("os10", &["OS10# ", "OS10-leaf.1# "]),
    // oxidized's model, netmiko #2006.
    (
        "exos",
        &[
            "X440G2-24t.1 # ",
            "* 1OSEUPP0001-SW002.2 # ",
            "* Slot-1 Stack.14 # ",
            "Slot-1 VPEX core.3 # ",
            "(pending-AP) # ",
            "sw~1:7 > ",
        ],
    ),
    ("omniswitch", &["-> ", "ale-lab-3> ", "OS6900@site #", "SW-1 ==> "]),
];

#[tokio::test(start_paused = true)]
async fn a_prompt_that_makers_document_is_one() {
    let mut wrong = Vec::new();
    for (profile, prompts) in STANDS {
        for prompt in prompts {
            let (result, _) = told(
                json!({"profile": profile}),
                async |far| {
                    log_in(far).await?;
                    far.shell(prompt, &[("show clock", "12:00\r\n")]).await
                },
                async |session| {
                    for _ in 0..2 {
                        says(session, "show clock", "12:00").await?;
                    }
                    Ok(())
                },
            )
            .await;
            wrong.extend(result.err().map(|why| format!("{profile}, {prompt:?}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A console that was left in configuration: profile, the prompt there, what leads out, a question then with its answer, the prompt outside.
type Left = (&'static str, &'static str, &'static str, Option<(&'static str, &'static str)>, &'static str);

const LEFT: [Left; 15] = [
    ("ios", "R1(ca-trustpoint)#", "end", None, "R1#"),
    ("ios", "R1(config-pki-hexmode)#", "end", None, "R1#"),
    ("ios", "R1(cfg-acct-mlist)#", "end", None, "R1#"),
    ("ios", "SWITCH(config-dhcp-opt[circuit_id])#", "end", None, "SWITCH#"),
    ("nxos", "n9k(maint-mode)(config)# ", "end", None, "n9k(maint-mode)# "),
    ("eos", "loc1-core01(s1)(config-vlan-10,20,30,40)#", "end", None, "loc1-core01(s1)#"),
    ("eos", "leaf1(config-s-MySession-if-Et1)#", "end", None, "leaf1#"),
    ("aoscx", "cx1(config-if-<1/1/1-1/1/4>)# ", "end", None, "cx1# "),
    ("zte", "ZXAN(gpon-onu-mng 1/2/1:1)#", "end", None, "ZXAN#"),
    ("vrp", "HRP_M[FW1-GigabitEthernet0/0/4]", "return", None, "HRP_M<FW1>"),
    (
        "vrp8",
        "[*NE1]",
        "return",
        Some((
            "Warning: Uncommitted configurations found. Are you sure to commit them before exiting? [Y/N/C]:",
            "N",
        )),
        "<NE1>",
    ),
    ("fortios", "hostname(Primary) (interface) # ", "abort", None, "hostname(Primary) # "),
    (
        "junos",
        "{master}[edit interfaces ge-0/0/0]\r\nlab@mx1# ",
        "exit configuration-mode",
        Some((
            "The configuration has been changed but not committed\r\nExit with uncommitted changes? [yes,no] (yes) ",
            "yes",
        )),
        "{master}\r\nlab@mx1> ",
    ),
    (
        "iosxr",
        "RP/0/RP0/CPU0:a-name-that-is-cut(config-bgp)#",
        "end",
        Some(("Uncommitted changes found, commit them before exiting(yes/no/cancel)? [cancel]:", "no")),
        "RP/0/RP0/CPU0:a-name-that-is-cut-off#",
    ),
    ("sros", "*A:ALU-1>config>router>mpls$ ", "exit all", None, "*A:ALU-1# "),
];

#[tokio::test(start_paused = true)]
async fn a_console_is_brought_out_of_every_mode_of_configuration() {
    for (profile, inside, leave, question, outside) in LEFT {
        let (result, typed) = told(
            json!({"profile": profile}),
            async |far| {
                log_in(far).await?;
                while far.asks(inside, true).await? != leave {}
                if let Some((asks, answer)) = question {
                    assert_eq!(far.asks(asks, true).await?, answer, "{profile}: {asks}");
                }
                far.shell(outside, &[("show clock", "12:00\r\n")]).await
            },
            async |session| says(session, "show clock", "12:00").await,
        )
        .await;
        result.unwrap_or_else(|why| panic!("{profile}, {inside:?}: {why}"));
        assert_eq!(typed.iter().filter(|line| *line == leave).count(), 1, "{profile}, {inside:?}: {typed:?}");
    }
}

/// What is asked on the way in, by a console: before the login or behind it, with the key or line that it wants.
const ASKED: [(&str, bool, &str, Wants, &str); 8] = [
    // netmiko #988, #3204, oxidized #2021.
    (
        "fortios",
        false,
        "#################\r\nwarning ~~~~.             #\r\n#################\r\n\r\n(Press 'a' to accept):",
        Wants::Key(b'a'),
        "FGT1 # ",
    ),
    ("fortios", true, "Authorised use only.\r\n(Press 'a' to accept):", Wants::Key(b'a'), "FGT1 # "),
    // netmiko #675, oxidized #2040.
    (
        "panos",
        true,
        "UNAUTHORIZED ACCESS IS PROHIBITED.\r\nDo you accept and acknowledge the statement above ? (yes/no) : ",
        Wants::Line("yes"),
        "admin@fw1> ",
    ),
    // unicon's dialogues of a first start.
    (
        "ios",
        true,
        "\r\n         --- System Configuration Dialog ---\r\n\r\nWould you like to enter the initial configuration dialog? [yes/no]: ",
        Wants::Line("no"),
        "Router>",
    ),
    ("ios", true, "\r\nWould you like to terminate autoinstall? [yes]: ", Wants::Line("yes"), "Router>"),
    // netmiko's and NOC's dialogues.
    (
        "routeros",
        false,
        "\r\nDo you want to see the software license? [Y/n]: ",
        Wants::Key(b'n'),
        "[lab@MikroTik] > ",
    ),
    (
        "routeros",
        false,
        "\r\nROUTER HAS NO SOFTWARE KEY\r\nPlease press \"Enter\" to continue!\r\n",
        Wants::Line(""),
        "[lab@MikroTik] > ",
    ),
    // netmiko #1776.
    (
        "vrp",
        false,
        "\r\nWarning: The initial password poses security risks.\r\nThe password needs to be changed. Change now? [Y/N]:",
        Wants::Line("n"),
        "<HUAWEI>",
    ),
];

/// What a question takes.
#[derive(Clone, Copy)]
enum Wants {
    Key(u8),
    Line(&'static str),
}

async fn asks(far: &mut Far, question: &str, wants: Wants) -> Option<()> {
    match wants {
        Wants::Key(key) => {
            far.says(question).await;
            assert_eq!(far.key().await?, key, "{question}");
            far.says("\r\n").await;
        }
        Wants::Line(line) => assert_eq!(far.asks(question, true).await?, line, "{question}"),
    }
    Some(())
}

#[tokio::test(start_paused = true)]
async fn what_makers_ask_on_the_way_in_is_answered() {
    for (profile, is_before, question, wants, prompt) in ASKED {
        let (result, typed) = told(
            json!({"profile": profile}),
            async |far| {
                if is_before {
                    asks(far, question, wants).await?;
                }
                log_in(far).await?;
                if !is_before {
                    asks(far, question, wants).await?;
                }
                far.shell(prompt, &[("show clock", "12:00\r\n")]).await
            },
            async |session| says(session, "show clock", "12:00").await,
        )
        .await;
        result.unwrap_or_else(|why| panic!("{profile}, {question:?}: {why}; typed {typed:?}"));
    }
}

/// Words that refuse a command, and the line of them that is told.
const REFUSALS: [(&str, &str, &str, &str); 16] = [
    ("ios", "R1#", "% Authorization failed.", "% Authorization failed."),
    ("ios", "R1#", "Command authorization failed.\r\n", "Command authorization failed."),
    (
        "ios",
        "R1#",
        "       ^\r\n% Invalid input detected at '^' marker.\r\n",
        "% Invalid input detected at '^' marker.",
    ),
    (
        "ios",
        "R1#",
        "% Bad IP address or host name% Unknown command or computer name, or unable to find computer address",
        "% Bad IP address or host name% Unknown command or computer name, or unable to find computer address",
    ),
    (
        "nxos",
        "n9k#",
        "% Invalid parameter detected at '^' marker.",
        "% Invalid parameter detected at '^' marker.",
    ),
    ("nxos", "n9k#", "% Permission denied for the role", "% Permission denied for the role"),
    (
        "iosxr",
        "RP/0/RP0/CPU0:xr1#",
        "% Unknown command or computer name",
        "% Unknown command or computer name",
    ),
    (
        "eos",
        "leaf1#",
        "% Unavailable command (not supported on this hardware platform)",
        "% Unavailable command (not supported on this hardware platform)",
    ),
    ("eos", "leaf1#", "% Cannot commit", "% Cannot commit"),
    ("junos", "lab@mx1> ", "           ^\r\nunknown command.\r\n", "unknown command."),
    ("junos", "lab@mx1> ", "'sh' is ambiguous.\r\nPossible completions:\r\n", "'sh' is ambiguous."),
    ("junos", "lab@mx1> ", "No valid completions\r\n", "No valid completions"),
    (
        "sros-md",
        "[/]\r\nA:admin@pe1# ",
        "MINOR: CLI #2006: Unknown command",
        "MINOR: CLI #2006: Unknown command",
    ),
    ("panos", "admin@fw1> ", "Unknown command: shwo", "Unknown command: shwo"),
    ("omniswitch", "-> ", "     ^\r\nERROR: Invalid entry: \"set\"\r\n", "ERROR: Invalid entry: \"set\""),
    (
        "fortios",
        "FGT1 # ",
        "value parse error before 'x'\r\nCommand fail. Return code -651\r\n",
        "value parse error before 'x'",
    ),
];

#[tokio::test(start_paused = true)]
async fn refusals_are_told_in_the_devices_words() {
    for (profile, prompt, words, wanted) in REFUSALS {
        let words = format!("{}\r\n", words.trim_end());
        let (result, _) = told(
            json!({"profile": profile}),
            async |far| {
                log_in(far).await?;
                far.shell(prompt, &[("frobnicate", &words)]).await
            },
            async |session| {
                let answer = session.command("frobnicate", TIMEOUT).await?;
                assert_eq!(session.refusal(&answer).as_deref(), Some(wanted), "{profile}: {answer}");
                Ok(())
            },
        )
        .await;
        result.unwrap_or_else(|why| panic!("{profile}, {words:?}: {why}"));
    }
}

/// netmiko's commit of IOS XR: where others have committed meanwhile it is asked whether to go on, and nothing is written over.
#[tokio::test(start_paused = true)]
async fn a_commit_behind_that_of_others_is_refused() {
    let (result, typed) = told(
        json!({"profile": "iosxr"}),
        async |far| {
            log_in(far).await?;
            let mut prompt = "RP/0/RP0/CPU0:xr1#";
            loop {
                match far.asks(prompt, true).await?.as_str() {
                    "configure terminal" => prompt = "RP/0/RP0/CPU0:xr1(config)#",
                    "end" => prompt = "RP/0/RP0/CPU0:xr1#",
                    "commit" => {
                        far.says("One or more commits have occurred from other configuration sessions since this session started\r\nor since the last commit was made from this session. You can use the 'show configuration\r\ncommit changes' command to browse the changes. \r\n").await;
                        assert_eq!(far.asks("Do you wish to proceed with this commit anyway? [no]: ", true).await?, "no");
                    }
                    _ => {}
                }
            }
        },
        async |session| session.config(&["hostname xr2".to_owned()], TIMEOUT).await.map(|_| ()),
    )
    .await;
    let why = result.unwrap_err();
    assert!(why.contains("refused `commit`: One or more commits have occurred from other"), "{why}");
    assert!(
        typed.iter().any(|line| line == "clear")
            && typed.last().is_some_and(|line| line == "end" || line.is_empty()),
        "{typed:?}"
    );
}

/// Lines of syslog on consoles: unicon's pattern names forms with a part of the device before the severity.
#[tokio::test(start_paused = true)]
async fn syslog_of_every_form_is_no_part_of_an_answer() {
    let lines = [
        "*Mar  1 00:00:09.123: %SYS-5-CONFIG_I: Configured from console by console",
        "000123: *Jan 31 12:00:00.000 CET: %LINEPROTO-5-UPDOWN: Line protocol on Interface Gi0/1, changed state to up",
        "*Sep  6 17:43:41.291: %Cisco-SDWAN-RP_0-CFGMGR-4-WARN-300005: New admin password not set yet",
        "*Sep  6 23:18:11.702: %ENVIRONMENTAL-1-ALERT: Temp: Inlet 1, Location: R0, State: Warning",
        "Jun  2 2026 10:00:00.001 UTC: %SYS-SW2_STBY-5-RESTART: System restarted --",
        "%LINK-SP-5-CHANGED: Interface GigabitEthernet5/1, changed state to administratively down",
    ];
    for line in lines {
        let answer = format!("first\r\n{line}\r\nsecond\r\n");
        let (result, _) = told(
            json!({"profile": "ios"}),
            async |far| {
                log_in(far).await?;
                far.shell("R1#", &[("show clock", &answer)]).await
            },
            async |session| {
                says(session, "show clock", "first\nsecond").await?;
                assert_eq!(session.unasked()?.trim(), line);
                Ok(())
            },
        )
        .await;
        result.unwrap_or_else(|why| panic!("{line}: {why}"));
    }
}
