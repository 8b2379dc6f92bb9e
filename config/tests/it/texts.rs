//! What people read when a file is wrong: a project with everything wrong at once, XML that is none, and the other files.

use std::sync::Arc;

use jackfield_config::{
    Project, Read, Source, bindings::Bindings, db::DbFile, email::EmailConfig, epname::EpNames,
    fwmconfig::FwmConfig, panic::PanicPatterns, params::Params, test_config::TestConfig,
    users::UsersAndGroups,
};

fn told<T>(name: &str, text: &str, read: impl FnOnce(&Arc<Source>) -> Read<T>) -> String {
    let read = read(&Arc::new(Source::new(name, text)));
    read.problems.iter().map(|problem| format!("{problem}\n")).collect()
}

fn project(text: &str) -> String {
    told("p.xml", text, |source| Project::read("p", source))
}

#[test]
fn a_project_with_everything_wrong() {
    let text = "<Root>
  <stoponfail>yes</stoponfail>
  <stopOnFail>true</stopOnFail>
  <dbautosave>always</dbautosave>
  <DownloadLibraries>deap</DownloadLibraries>
  <tcdelay>-1</tcdelay>
  <Timeout>0</Timeout>
  <OnEpLost>reasign</OnEpLost>
  <ClearCaseView>v1</ClearCaseView>
  <UserDefined><propValue>1</propValue></UserDefined>
  <TestCase><tcName>x</tcName></TestCase>
  <TestSuite>
    <Repeat>x</Repeat>
    <PanicDetect>maybe</PanicDetect>
    <SutName>a(guest); (user); b(system</SutName>
    <Labels>a=1;a=2</Labels>
    <Dependency>12; a:working; :pass; a:pas</Dependency>
    <ConfigFiles>tc_config</ConfigFiles>
    <TestCsae/>
    <TestCase>
      <Repeat>0</Repeat>
      <Repeat>2</Repeat>
      <Timeout>5 parsecs</Timeout>
      <ConfigFiles><Config enabled='on' iterator_of='true'/><Cofnig/></ConfigFiles>
      <iterationSave>some</iterationSave>
      <Property><propName>Optional</propName><propValue>yes</propValue></Property>
      <Property><propName>Runable</propName><propValue>true</propValue></Property>
      <Property><propName>setup_file</propName><propValue>true</propValue></Property>
      <Property><propName>teardown_file</propName><propValue>true</propValue></Property>
      <Property><propName>x</propName><propValue>1</propValue></Property><Property><propName>timeout</propName><propValue>1</propValue></Property>
      <Property><propName>x</propName><propVale>2</propVale></Property>
      <Property><propName>iterationNr</propName><propValue>a=b=c, d</propValue></Property>
    </TestCase>
  </TestSuite>
</Root>";
    insta::assert_snapshot!(project(text));
}

#[test]
fn xml_that_is_none() {
    let texts = [
        "",
        "hello",
        "<Root>",
        "<Root></Rot>",
        "<Root></Root></Root>",
        "<Root/><Root/>",
        "<Root/>x",
        "<Root><a></Root>",
        "<Root a=1/>",
        "<Root a='1' a='2'/>",
        "<Root a='1'b='2'/>",
        "<Root a/>",
        "<Root a='<'/>",
        "<Root a='&x;'/>",
        "<Root a='&'/>",
        "<Root>a & b</Root>",
        "<Root>&#0;</Root>",
        "<Root>5 < 6</Root>",
        "<Root>]]></Root>",
        "<Root><!-- a -- b --></Root>",
        "<Root><!-- a",
        "<Root><![CDATA[ a",
        "<Root a='",
        "<Root",
        " <?xml version='1.0'?><Root/>",
        "<1Root/>",
        "<Root>\u{7}</Root>",
        "<testsuites/>",
    ];
    insta::assert_snapshot!(texts.iter().map(|text| project(text)).collect::<String>());
}

#[test]
fn the_other_files() {
    let all = [
        told(
            "globals.xml",
            "<root>\n <folder><param><name>a/b</name></param></folder>\n <param><value>1</value></param>\n <param><name>n</name><type>strin</type></param>\n <param><name>n</name></param>\n <fodler/>\n</root>",
            Params::read,
        ),
        told(
            "tc",
            "<root>\n<param><name>i</name><value> </value><type>iterator</type></param>\n<param><name>j</name><value>1..9999999</value><type>iterator</type></param></root>",
            |source| TestConfig::read("tc", source),
        ),
        told(
            "db.xml",
            "<root>\n<insert_section>\n<field Type='UserSelect' ID='a'/>\n<field ID='a' Type='UserTxt' Mandatory='perhaps' Lable='x'/>\n<field/>\n<sql_statement/>\n</insert_section>\n<reports_section>\n<field ID='Rel' Type='UserText'/>\n<report ID='r' Type='Pie' SQLQuery='SELECT @Rle@'/>\n<report ID='s'/>\n</reports_section>\n<db_config><servr>x</servr><use_shared_db>perhaps</use_shared_db><commit>never</commit><marker>a b</marker><insert>live</insert></db_config>\n</root>",
            DbFile::read,
        ),
        told(
            "email.xml",
            "<Root>\n<Enabled>true</Enabled>\n<SMTPPath>mail:x</SMTPPath>\n<From>me</From>\n<To>a@b; c d@e</To>\n<Subjekt/>\n</Root>",
            EmailConfig::read,
        ),
        told(
            "bindings.xml",
            "<root>\n<binding><bind config='a' sut='b'/></binding>\n<binding><name>x</name><bind config='a'/><bind config='c' sut='d'/><bind config='c' sut='e'/></binding>\n<bind>ab</bind></root>",
            Bindings::read,
        ),
        told(
            "fwmconfig.xml",
            "<Root>\n<FileType>test</FileType>\n<TestCasePath>x</TestCasePath>\n<ArchiveLogsPathActive>often</ArchiveLogsPathActive></Root>",
            FwmConfig::read,
        ),
        told("epname.ini", "x = 1\n[EP-1]\nCE_PORT = 99999\nCE_IPP = 1.2.3.4\n[EP-2\n", EpNames::read),
        told(
            "users_and_groups.ini",
            "[users]\n[[ana]]\ngroups_production = usr\ntimeout = soon\n[groups]\n[[user]]\nroles = RUN_TEST, *\nrole = 1\n[gruops]\n",
            UsersAndGroups::read,
        ),
        told(
            "PanicDetectData.json",
            "{\"ana\": {\n\"1\": {\"expression\": \"a(\", \"enabled\": true},\n\"2\": {}}}",
            PanicPatterns::read,
        ),
        told("PanicDetectData.json", "[]", PanicPatterns::read),
        told("PanicDetectData.json", "{\n\"ana\": {]", PanicPatterns::read),
    ];
    insta::assert_snapshot!(all.concat());
}
