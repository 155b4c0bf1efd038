-- A ledger as schema 2 wrote it; two submissions. application_id and WAL mode are set by the test.
BEGIN TRANSACTION;
CREATE TABLE govfile_about (
	what TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (what)
);
INSERT INTO "govfile_about" VALUES('schema','2');
CREATE TABLE govfile_received (
	seq INTEGER NOT NULL, 
	authority TEXT NOT NULL, 
	environment TEXT NOT NULL, 
	login TEXT NOT NULL, 
	remote_name TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	modified BIGINT NOT NULL, 
	sha256 TEXT NOT NULL, 
	saved_as TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	submission_id TEXT, 
	what TEXT NOT NULL, 
	crc BIGINT NOT NULL, 
	PRIMARY KEY (seq), 
	CONSTRAINT govfile_received_once UNIQUE (authority, environment, login, remote_name, size, modified, sha256)
);
INSERT INTO "govfile_received" VALUES(1,'skat','test','CVR_10101010_UID_1234567890','Udlaan_SvarFil_10101010_2025_a1.xml',12,1772442000000000,'abababababababababababababababababababababababababababababababab','answers/Udlaan_SvarFil_10101010_2025_a1.xml',1772442000000000,'01a2073524aab93f01ac7f480f286e19','answer',3371530686);
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
INSERT INTO "govfile_submission" VALUES(1,'01a2073524aab93f01ac7f480f286e19','skat','test','10101010','Udlaan','10101010_2025_a1.zip','10101010_2025_a1.zip',31,'a9eeb96d1dfac356bf9e002ee56a378a13b317359c68500c8f24e7b97df970c4','','CVR_10101010_UID_1234567890','abababababababababababababababababababababababababababababababab',0,NULL,NULL,NULL,'answered','unread',1772442000000000,4,'[[1772442000000000,"sending","STARTED","","","","",""],[1772442000000000,"sent","CONFIRMED","17 bytes; the server said: 226","","","",""],[1772442000000000,"answered","ANSWERED","","","Udlaan_SvarFil_10101010_2025_a1.xml","abababababababababababababababababababababababababababababababab",""]]','[["answers/Udlaan_SvarFil_10101010_2025_a1.xml","Udlaan_SvarFil_10101010_2025_a1.xml",12,"abababababababababababababababababababababababababababababababab",1772442000000000]]','["demo", "", "", 1, "", ""]',3007461318);
INSERT INTO "govfile_submission" VALUES(2,'01a2073524aca885e010431aeb9b1c4c','skat','test','10101010','Udlaan','10101010_2025_a2.zip','10101010_2025_a2.zip',31,'437b16b3afffe36cdc9e94b53392048709566ae10a494d567ef7f4fe5f63b838','','CVR_10101010_UID_1234567890','abababababababababababababababababababababababababababababababab',0,NULL,NULL,NULL,'prepared',NULL,1772442000000000,1,'','','',1094981868);
CREATE INDEX govfile_by_state ON govfile_submission (state, seq);
COMMIT;
