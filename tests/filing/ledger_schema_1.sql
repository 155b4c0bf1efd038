-- A ledger as schema 1 wrote it; two submissions. application_id and WAL mode are set by the test.
BEGIN TRANSACTION;
CREATE TABLE govfile_about (
	what TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (what)
);
INSERT INTO "govfile_about" VALUES('schema','1');
CREATE TABLE govfile_submission (
	seq INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	authority TEXT NOT NULL, 
	environment TEXT NOT NULL, 
	sender TEXT NOT NULL, 
	service TEXT NOT NULL, 
	name TEXT NOT NULL, 
	folded TEXT NOT NULL, 
	size BIGINT, 
	sha256 TEXT, 
	guard TEXT NOT NULL, 
	filed_by TEXT NOT NULL, 
	certificate TEXT NOT NULL, 
	is_dry_run INTEGER NOT NULL, 
	"key" TEXT, 
	again TEXT, 
	source_path TEXT, 
	state TEXT NOT NULL, 
	verdict TEXT, 
	created BIGINT NOT NULL, 
	revision INTEGER NOT NULL, 
	history TEXT NOT NULL, 
	answers TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	crc BIGINT NOT NULL, 
	PRIMARY KEY (seq), 
	CONSTRAINT govfile_submission_id UNIQUE (id), 
	CONSTRAINT govfile_one_name UNIQUE (authority, environment, sender, folded), 
	CONSTRAINT govfile_one_content UNIQUE (authority, environment, sender, service, sha256, guard)
);
INSERT INTO "govfile_submission" VALUES(1,'01a206ff0c7d45b3fec84d76cdbfaa05','skat','test','10101010','Udlaan','10101010_2025_a1.zip','10101010_2025_a1.zip',1234,'1111111111111111111111111111111111111111111111111111111111111111','','CVR_10101010_UID_1234567890','abababababababababababababababababababababababababababababababab',0,NULL,NULL,'/srv/out/10101010_2025_a1.zip','sent',NULL,1772442005000000,3,'[[1772442005000000,"sending","STARTED","","","","",""],[1772442005000000,"sent","CONFIRMED","226 Transfer complete","","","",""]]','','',319184537);
INSERT INTO "govfile_submission" VALUES(2,'01a206ff0c7f40a650d026c7ca5db123','skat','test','10101010','Udlaan','10101010_2025_a2.zip','10101010_2025_a2.zip',1234,'2222222222222222222222222222222222222222222222222222222222222222','','CVR_10101010_UID_1234567890','abababababababababababababababababababababababababababababababab',0,NULL,NULL,'/srv/out/10101010_2025_a2.zip','prepared',NULL,1772442005000000,1,'','','',1471503656);
COMMIT;
