"""The table behind `codes`: group, meaning and advice by the three digits of annex 30 (2022/1)."""

from __future__ import annotations

_Row = tuple[str, str, str]

_NAME = "mend the program that names the files, then send under a new sequence"
_PORTAL = "look at the channel in the portal (Chaman), then send under a new sequence"
_FOLDER = "send the set into the folder of its environment letter, under a new sequence"
_SET = "look at what was sent of the set, then send all of it under a new sequence, the GO last"
_XML = "mend the declaration by the schema of its quarter, then send it under a new sequence"
_SPLIT = "split the declaration into files that are smaller, each complete, under new sequences"
_PACK = "send the declaration as it is, not compressed"
_FOREIGN = "it belongs to another channel than SFTP; ask the contact centre what it means here"

_NAMES = {
    "107": "the name of the GO file has a wrong form",
    "131": "the name of the FI file has a wrong form",
    "132": "the name of the FS file has a wrong form",
    "129": "the name begins with a wrong prefix",
    "109": "the date in the name does not have eight positions",
    "110": "the date in the name is no date",
    "112": "the sequence in the name does not have five positions",
    "113": "the sequence in the name is not numeric (an older, stricter rule)",
    "127": "the sequence in the name is zero",
    "367": "the sequence in the name holds a character outside 0-9 and A-Z",
    "114": "the number of parts in the name does not have one position",
    "115": "the number of parts in the name is not numeric",
    "116": "the number of parts in the name is zero",
    "128": "the number of parts in the name is above the maximum",
    "117": "the environment in the name is none of T, R and S",
}

_CLOCK = {
    "111": ("the date in the name lies in the future", "check this computer's clock and zone: the date is Belgium's"),
    "126": ("the date in the name is too old", "name the set by today's date; it may have waited too long for its GO"),
}

_SENDERS = {
    "108": ("the sender in the name is not that of the login", "use the sender number the portal shows for this login"),
    "103": ("the sender is not authorised", _PORTAL),
    "154": ("the sender may not send files of this purpose", f"tick the application: {_PORTAL}"),
    "249": ("the channel differs from the one registered for this application", f"set the preferred one: {_PORTAL}"),
    "231": ("something in the file is incompatible with the sender", _PORTAL),
}

_FOLDERS = {
    "118": "a file of the environment R was not put into IN",
    "119": "a file of the environment T was not put into INTEST",
    "257": "a file of the environment S was not put into INTEST-S",
}

_SETS = {
    "120": "there are more or fewer FI files than the name announces",
    "122": "there are more or fewer FS files than the name announces",
    "123": "the FI files are numbered wrongly",
    "124": "the FS files are numbered wrongly",
    "130": "the GO file of a set did not come",
    "121": "there is an FS file where the protocol has none",
    "142": "there is no declaration file",
    "134": "there is no data in the file",
    "157": "there is no declaration in the file",
}

_SIGNATURES = {
    "125": (
        "the signature is not valid",
        "check layout, hash (SHA-256) and certificate, and that no byte of the FI changed after signing, line ends too",
    ),
    "153": (
        "the certificate does not belong to the sender",
        "sign with the certificate that is loaded on the channel, or load this one and wait for the synchronisation",
    ),
    "524": ("the signature cannot be checked", "look at the certificate's validity and issuer, then send anew"),
}

_RIGHTS = {
    "101": ("the sender has no right to this employer's number", "check the employer number and the mandate"),
    "155": ("there is no mandate, or none any more", "have the employer give or renew the mandate"),
    "168": ("this way of access is not allowed", _PORTAL),
}

_XMLS = {
    "102": "the XML is not well-formed",
    "088": "the schema is unknown",
    "089": "the root element is unknown",
    "090": "an element is there too often or not often enough",
    "091": "elements are in a wrong order",
    "092": "an element is unknown",
    "093": "a value has a wrong length",
    "135": "the kind of form does not fit the schema",
    "136": "no schema is named",
    "137": "the schema named is unknown",
    "138": "the encoding is not supported",
    "139": "the namespace is wrong",
    "158": "the kind of form does not fit the purpose in the name",
    "205": "there is a block that is no Form",
    "255": "the file is not valid by its model",
    "312": "the file is not valid by its model",
}

_VOLUMES = {
    "172": "there are too many declarations for a file of this size",
    "184": "the file is too large",
    "275": "there are too many forms",
    "509": "FI and FS are too large together after compression",
}

_PACKINGS = {
    "229": "the compression is of a kind that is not known",
    "280": "the ZIP is not valid",
    "281": "the ZIP holds no file or more than one",
}

_CANCELLED = {
    "277": ("the transfer point cancelled the request", "ask the contact centre why, unless a TD file asked for it"),
    "430": ("the files that caused trouble were deleted", "find the earlier refusal, mend its cause, then send anew"),
}

_FOREIGN_CODES = {
    **dict.fromkeys(("140", "141", "143", "144", "156", "171"), "an error of the channels Isabel and mailbox"),
    **dict.fromkeys((*map(str, range(215, 229)), "258"), "an error in a message header of the channel MQ"),
    **dict.fromkeys(map(str, range(283, 312)), "an error of the mailbox of the Crossroads Bank"),
}


def _all(group: str, meanings: dict[str, str], advice: str) -> dict[str, _Row]:
    return {number: (group, meaning, advice) for number, meaning in meanings.items()}


def _each(group: str, rows: dict[str, tuple[str, str]]) -> dict[str, _Row]:
    return {number: (group, *row) for number, row in rows.items()}


#: By three digits: group, meaning, advice.
ROWS: dict[str, _Row] = {
    **_all("name", _NAMES, _NAME),
    **_each("name", _CLOCK),
    **_each("sender", _SENDERS),
    **_all("directory", _FOLDERS, _FOLDER),
    **_all("set", _SETS, _SET),
    "133": (
        "duplicate",
        "a file of this name was sent before",
        "find out what became of the earlier file first; if this one is another declaration, use a new sequence",
    ),
    **_each("signature", _SIGNATURES),
    **_each("rights", _RIGHTS),
    **_all("xml", _XMLS, _XML),
    **_all("volume", _VOLUMES, _SPLIT),
    **_all("compression", _PACKINGS, _PACK),
    **_each("cancelled", _CANCELLED),
    **_all("other transport", _FOREIGN_CODES, _FOREIGN),
}

#: Codes of notifications of which more is known than their three digits say, by the whole code.
ANOMALIES: dict[str, _Row] = {
    "90373-333": (
        "content",
        "a Dimona period of the same data exists",
        "the answer names the period that exists; change that one instead of making another",
    ),
    "90373-334": (
        "content",
        "the Dimona period overlaps another",
        "the answer names the period that exists; end or change that one first",
    ),
}

SIGNATURE_DETAILS: dict[int, str] = {
    0: "no fault",
    1: "the outer structure of the signature cannot be read",
    2: "the message is not found where signature and message are in one file",
    3: "an algorithm is forbidden",
    4: "a value that is imposed is wrong",
    5: "no certificate given has the serial number that the signer names",
    6: "an extension of a certificate is wrong",
    9: "a length is wrong",
    10: "a certificate is wrong",
    11: "the signature of the message is wrong",
    22: "there are revocation lists in the signature",
    23: "there are attributes in the signature that are not signed",
    99: "a fault that is not told apart",
}
