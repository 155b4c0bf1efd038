"""Who a notification is about: employers, workers, persons to ask. Data of persons stays out of every repr.

Source: the schema NOTIFICATION_20223.
"""

from __future__ import annotations

import attrs

from govfile.onss.reading import block, blocks, leaf


@attrs.frozen(kw_only=True)
class EmployerId:
    """An employer: one of three registration numbers, and the company number."""

    registration: str = leaf("NOSSRegistrationNbr")
    provisional: str = leaf("ProvisionalNSSONbr")
    local_authority: str = leaf("NOSSLPARegistrationNbr")
    company: str = leaf("CompanyID")


@attrs.frozen(kw_only=True)
class HandledSender(EmployerId):
    """Who stands behind the sender of the original file."""

    social_secretariat: str = leaf("SocialSecretariatNumber")
    inss: str = leaf("INSS", is_personal=True)


@attrs.frozen(kw_only=True)
class NaturalPerson:
    """A worker; `inss` is the social security number."""

    sequence: str = leaf("NaturalPersonSequenceNbr")
    inss: str = leaf("INSS", is_personal=True)
    sis: str = leaf("SIS", is_personal=True)
    name: str = leaf("WorkerName", is_personal=True)
    first_name: str = leaf("WorkerFirstName", is_personal=True)
    initial: str = leaf("WorkerInitial", is_personal=True)
    birth_date: str = leaf("WorkerBirthdate", is_personal=True)
    birth_place: str = leaf("WorkerBirthplace", is_personal=True)
    birth_country: str = leaf("WorkerBirthplaceCountry", is_personal=True)
    sex: str = leaf("WorkerSex", is_personal=True)
    street: str = leaf("WorkerStreet", is_personal=True)
    house: str = leaf("WorkerHouseNbr", is_personal=True)
    post_box: str = leaf("WorkerPostBox", is_personal=True)
    zip_code: str = leaf("WorkerZIPCode", is_personal=True)
    city: str = leaf("WorkerCity", is_personal=True)
    country: str = leaf("WorkerCountry", is_personal=True)
    nationality: str = leaf("Nationality", is_personal=True)
    user_reference: str = leaf("NaturalPersonUserReference", is_personal=True)


@attrs.frozen(kw_only=True)
class OccupationReference:
    """An occupation in a worker's record."""

    sequence: str = leaf("OccupationSequenceNbr")
    internal: str = leaf("InternalOccupationNbr")


@attrs.frozen(kw_only=True)
class WorkerRecord:
    """The worker's record that is meant."""

    quarter: str = leaf("Quarter")
    registration: str = leaf("NOSSRegistrationNbr")
    provisional: str = leaf("ProvisionalNSSONbr")
    local_authority: str = leaf("NOSSLPARegistrationNbr")
    trusteeship: str = leaf("Trusteeship")
    company: str = leaf("CompanyID")
    person_sequence: str = leaf("NaturalPersonSequenceNbr")
    inss: str = leaf("INSS", is_personal=True)
    employer_class: str = leaf("EmployerClass")
    worker_code: str = leaf("WorkerCode")
    person_reference: str = leaf("NaturalPersonUserReference", is_personal=True)
    record_reference: str = leaf("WorkerRecordUserReference", is_personal=True)
    occupations: tuple[OccupationReference, ...] = blocks("OccupationReference", OccupationReference)


@attrs.frozen(kw_only=True)
class Communication:
    """How a person is reached."""

    phone: str = leaf("PhoneNbr", is_personal=True)
    mobile: str = leaf("GSMNbr", is_personal=True)
    fax: str = leaf("FaxNbr", is_personal=True)
    email: str = leaf("EmailAddress", is_personal=True)


@attrs.frozen(kw_only=True)
class ContactPerson:
    """Whom to ask at the institution."""

    name: str = leaf("Name", is_personal=True)
    first_name: str = leaf("FirstName", is_personal=True)
    communication: Communication | None = block("Communication", Communication, is_personal=True)
