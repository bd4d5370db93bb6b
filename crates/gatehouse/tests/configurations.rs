//! `gatehouse config` on the database of a traditional node: in, out, and back again.

use std::path::Path;
use std::process::Command;

use test_support::TempDir;

const FILE: &str = "_format_version: '3.0'
services:
- name: orders
  host: orders.test
  routes:
  - name: wide
    paths: ['~/api']
  - name: hidden
    paths: [/api/v1]
consumers:
- username: ann
  keyauth_credentials:
  - key: very-secret
";

struct Node {
    folder: TempDir,
    conf: String,
}

impl Node {
    /// The settings of a node with a database file, and a file to import.
    fn new() -> Self {
        let folder = TempDir::new("configurations");
        let conf = folder.join("kong.conf");
        let prefix = folder.join("prefix").display().to_string();
        let text = format!("database = sqlite\nprefix = {prefix}\n");
        std::fs::write(&conf, text).expect("the settings");
        std::fs::write(folder.join("kong.yml"), FILE).expect("the file");
        let conf = conf.display().to_string();
        Self { folder, conf }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Runs `config …` on the database; gives whether it went well, output, errors.
    fn config(&self, arguments: &[&str]) -> (bool, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_gatehouse"))
            .arg("config")
            .args(arguments)
            .args(["--conf", &self.conf])
            .output()
            .expect("the binary runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (
            output.status.success(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    fn good(&self, arguments: &[&str]) -> String {
        let (is_good, output, errors) = self.config(arguments);
        assert!(is_good, "{arguments:?}: {errors}");
        output
    }
}

#[test]
fn a_file_goes_in_by_plan_and_comes_out_as_short() {
    let node = Node::new();
    let file = node.path("kong.yml");

    let plan = node.good(&["db_import", &file, "--dry-run"]);
    assert!(plan.contains("+ services orders"), "{plan}");
    assert!(
        plan.contains("would be: 5 created, 0 updated, 0 deleted"),
        "{plan}"
    );
    assert!(!plan.contains("very-secret"), "{plan}");
    let id = plan
        .lines()
        .find_map(|line| line.strip_prefix("plan: "))
        .unwrap();
    let (is_good, output, errors) = node.config(&["db_import", &file, "--plan", id]);
    assert!(is_good && output.contains("5 created"), "{output} {errors}");
    assert!(
        errors.contains("warning: route `hidden`") && errors.contains("`wide`"),
        "{errors}"
    );

    let out = node.path("out.yml");
    node.good(&["db_export", &out]);
    let text = std::fs::read_to_string(&out).unwrap();
    assert!(
        text.contains("name: orders") && !text.contains("connect_timeout"),
        "{text}"
    );
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&out).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "it holds credentials");
    let again = node.good(&["db_import", &out]);
    assert!(
        again.contains("0 created, 0 updated, 0 deleted, 5 unchanged"),
        "{again}"
    );
    let (is_good, _, errors) = node.config(&["db_export", &out]);
    assert!(!is_good && errors.contains("exists already"), "{errors}");
}

#[test]
fn what_was_changed_is_told_and_taken_back() {
    let node = Node::new();
    let file = node.path("kong.yml");
    node.good(&["db_import", &file]);
    std::fs::write(Path::new(&file), FILE.replace("orders.test", "moved.test")).unwrap();
    node.good(&["db_import", &file]);

    let history = node.good(&["history"]);
    let numbers: Vec<&str> = history
        .lines()
        .filter_map(|line| line.split("  ").next())
        .collect();
    assert_eq!(numbers, ["2", "1"], "{history}");
    let diff = node.good(&["diff", "2"]);
    assert!(
        diff.contains("~ services orders")
            && diff.contains("host: \"orders.test\" -> \"moved.test\""),
        "{diff}"
    );
    let back = node.good(&["rollback", "1"]);
    assert!(back.contains("revision 3"), "{back}");
    assert!(node.good(&["db_export"]).contains("host: orders.test"));
    let (is_good, _, errors) = node.config(&["rollback", "17"]);
    assert!(!is_good && errors.contains("the newest is 3"), "{errors}");
}

#[test]
fn wrong_files_and_wrong_settings_change_nothing() {
    let node = Node::new();
    let wrong = node.path("wrong.yml");
    std::fs::write(
        &wrong,
        FILE.replace("orders.test", "")
            .replace("username", "colour"),
    )
    .unwrap();
    let (is_good, _, errors) = node.config(&["db_import", &wrong]);
    assert!(!is_good, "{errors}");
    assert!(
        errors.contains("line 4") && errors.contains("colour"),
        "{errors}"
    );
    assert_eq!(node.good(&["history"]), "");

    let (is_good, _, errors) = node.config(&["db_import", &wrong, "--plan", "x", "--dry-run"]);
    assert!(
        !is_good && errors.contains("cannot be used with"),
        "{errors}"
    );
    let (is_good, _, errors) = node.config(&["history", "--token", "x"]);
    assert!(
        !is_good && errors.contains("cannot be used with"),
        "{errors}"
    );
    std::fs::write(&node.conf, "database = off\n").unwrap();
    let (is_good, _, errors) = node.config(&["db_export"]);
    assert!(!is_good && errors.contains("keeps no database"), "{errors}");
}
