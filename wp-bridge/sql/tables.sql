CREATE TABLE {p}fcsc_outbox (
id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
topic varchar(40) NOT NULL,
object_id bigint(20) unsigned NOT NULL DEFAULT 0,
sub_id bigint(20) unsigned NOT NULL DEFAULT 0,
detail varchar(100) NOT NULL DEFAULT '',
user_id bigint(20) unsigned NOT NULL DEFAULT 0,
visitor char(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
created_ms bigint(20) unsigned NOT NULL,
attempts tinyint(3) unsigned NOT NULL DEFAULT 0,
due_ms bigint(20) unsigned NOT NULL DEFAULT 0,
PRIMARY KEY  (id),
KEY due (due_ms)
) {end};

CREATE TABLE {p}fcsc_carts (
id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
visitor char(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
user_id bigint(20) unsigned NOT NULL DEFAULT 0,
email varchar(190) NOT NULL DEFAULT '',
consent varchar(20) NOT NULL DEFAULT '',
status varchar(12) NOT NULL DEFAULT 'open',
order_id bigint(20) unsigned NOT NULL DEFAULT 0,
currency char(3) CHARACTER SET ascii NOT NULL DEFAULT '',
total decimal(19,4) NOT NULL DEFAULT 0,
items longtext NOT NULL,
coupons varchar(255) NOT NULL DEFAULT '',
language varchar(20) NOT NULL DEFAULT '',
created_gmt datetime NOT NULL,
updated_gmt datetime NOT NULL,
PRIMARY KEY  (id),
UNIQUE KEY visitor (visitor),
KEY updated_gmt (updated_gmt),
KEY user_id (user_id)
) {end};

CREATE TABLE {p}fcsc_keys (
key_id char(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
secret char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
endpoint varchar(190) NOT NULL,
state varchar(10) NOT NULL,
created_gmt datetime NOT NULL,
PRIMARY KEY  (key_id)
) {end};

CREATE TABLE {p}fcsc_nonces (
nonce char(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
seen int(10) unsigned NOT NULL,
PRIMARY KEY  (nonce),
KEY seen (seen)
) {end};

CREATE TABLE {p}fcsc_suppressed (
hash char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
created_gmt datetime NOT NULL,
PRIMARY KEY  (hash)
) {end};

CREATE TABLE {p}fcsc_sent (
sent_key varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
kind varchar(10) CHARACTER SET ascii NOT NULL,
object_id bigint(20) unsigned NOT NULL DEFAULT 0,
created_gmt datetime NOT NULL,
PRIMARY KEY  (sent_key),
KEY created_gmt (created_gmt)
) {end};

CREATE TABLE {p}fcsc_consents (
id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
contact_id bigint(20) unsigned NOT NULL DEFAULT 0,
user_id bigint(20) unsigned NOT NULL DEFAULT 0,
order_id bigint(20) unsigned NOT NULL DEFAULT 0,
channel varchar(20) NOT NULL,
state varchar(10) NOT NULL,
source varchar(20) NOT NULL,
wording varchar(500) NOT NULL DEFAULT '',
created_gmt datetime NOT NULL,
PRIMARY KEY  (id),
KEY contact_id (contact_id),
KEY user_id (user_id),
KEY order_id (order_id)
) {end};

CREATE TABLE {p}fcsc_push (
id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
endpoint_hash char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
endpoint text NOT NULL,
p256dh varchar(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
auth varchar(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
user_id bigint(20) unsigned NOT NULL DEFAULT 0,
order_id bigint(20) unsigned NOT NULL DEFAULT 0,
visitor char(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
wording varchar(12) CHARACTER SET ascii NOT NULL DEFAULT '',
created_gmt datetime NOT NULL,
PRIMARY KEY  (id),
UNIQUE KEY endpoint_hash (endpoint_hash),
KEY user_id (user_id),
KEY order_id (order_id),
KEY visitor (visitor)
) {end};
