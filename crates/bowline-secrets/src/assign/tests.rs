//! Tests of `assign`.

use crate::mask;

fn check(text: &str, expect: &str) {
    assert_eq!(mask(text).text, expect, "{text}");
}

const VALUE: &str = "C3A8KtfzWgeATybklkjRUl";

#[test]
fn values_are_found_however_they_are_joined() {
    for text in [
        "password=@",
        "password: @",
        "password := \"@\"",
        ":password => '@',",
        "\"password\": \"@\"",
        "{\\\"password\\\":\\\"@\\\"}",
        "<password>@</password>",
        "password==@",
        "--password @",
        "--password=@ --next",
        "?user=a&password=@&b=1",
        "const PASSWORD: &str = \"@\";",
        "password: string = '@'",
        "config[\"password\"] = \"@\"",
        ".password(\"@\")",
        "setenv(\"DB_PASSWORD\", \"@\")",
        "<add key=\"Password\" value=\"@\"/>",
        "{\"name\": \"DB_PASSWORD\", \"value\": \"@\"}",
        "| password | @ |",
        "machine host login me password @",
        "ALTER ROLE a PASSWORD '@';",
        "IDENTIFIED BY '@'",
        "the root password is @",
        "Server=db;Password=@;Encrypt=true",
        "{password: @, b: 1}",
        "f(password='@', b=1)",
        "\x1b[32m+DB_PASSWORD=\x1b[1m@\x1b[0m",
    ] {
        check(
            &text.replace('@', VALUE),
            &text.replace('@', "[secret:password]"),
        );
    }
}

#[test]
fn values_are_found_on_the_next_line() {
    for text in [
        "- name: DB_PASSWORD\n  value: @\n",
        "password: |\n  @\n",
        "mysql --password \\\n  @",
        "<key>Password</key>\n<string>@</string>",
    ] {
        check(
            &text.replace('@', VALUE),
            &text.replace('@', "[secret:password]"),
        );
    }
}

#[test]
fn what_is_no_value_stays() {
    for text in [
        "password = getpass.getpass(\"Password: \")",
        "password: ${DB_PASSWORD}",
        "token = $(cat x7Fq2LkP9zTf)",
        "password: string;",
        "api_key: xxx-replace-me-xxx",
        "api_key=<your-api-key>",
        "password=",
        "password: \"\"",
        "secret: prod/db/main",
        "token = jwt.sign({ id: 1 }, key)",
        "secret::token::Kind",
        "password: ENC[AES256_GCM,data:Tr7oc19nc6t1m9UrUeo=]",
        "token: sha256:9e82dee19c8a4cd4fa4a0291",
        "password_hash = '$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW'",
        "password: $2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW",
        "password: \"changeme123\"",
        "arn:aws:secretsmanager:eu-1:1:secret:prod/db-x7Fq2LkP9z",
        "secrets:\n  - source: db_x7Fq2LkP9z",
        "password:\n  type: string",
        "password = \"^[A-Za-z\\d@$!%*?&]{8,}$\"",
        "password: ../keys/x7Fq2LkP9z",
    ] {
        check(text, text);
    }
}
