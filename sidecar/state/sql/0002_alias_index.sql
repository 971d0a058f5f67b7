-- Whether an address was once this person's is asked for every page of people.
CREATE INDEX alias_person ON alias (person_id);
