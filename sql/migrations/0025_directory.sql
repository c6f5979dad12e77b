-- A company's directory: the people and teams that it provisions by SCIM 2.0 (RFC 7643, 7644).
--
-- The directory says who belongs to the company; who they are here, only they can say. So a row of it
-- is the company's, about an address, and becomes a membership where a person has shown that address to
-- be theirs, in a domain that the company has proved. Such a membership shows nothing of the person
-- until they agree. It ends in the transaction in which the directory ends it.

-- MARK: What the directory sends

create function app.directory_address(user_name text, emails jsonb) returns text
  language sql immutable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select lower(coalesce(
    (
      select email ->> 'value' from jsonb_array_elements(emails) with ordinality as given (email, place)
      where email ->> 'value' like '%@%'
      order by email -> 'primary' = 'true' desc nulls last, lower(email ->> 'type') = 'work' desc nulls last, place
      limit 1
    ),
    case when user_name like '%@%' then user_name end
  ));
$$;
comment on function app.directory_address(text, jsonb) is
  'What somebody is known by here: the primary address, or else that of work, the first, or the name they sign in with.';
revoke all on function app.directory_address(text, jsonb) from public;
-- It computes a column of rows that the server writes.
grant execute on function app.directory_address(text, jsonb) to breathmaster_api, breathmaster_worker;

create table app.directory_user (
  organization_id uuid not null references app.organization (organization_id) on delete cascade,
  directory_user_id uuid not null,
  user_name text not null check (char_length(user_name) between 1 and 1024),
  user_key text not null generated always as (lower(user_name)) stored,
  external_id text check (char_length(external_id) <= 1024),
  display_name text check (char_length(display_name) <= 1024),
  formatted_name text check (char_length(formatted_name) <= 1024),
  family_name text check (char_length(family_name) <= 1024),
  given_name text check (char_length(given_name) <= 1024),
  emails jsonb not null default '[]' check (jsonb_typeof(emails) = 'array' and octet_length(emails::text) <= 65536),
  address text generated always as (app.directory_address(user_name, emails)) stored,
  active boolean,
  declined boolean not null default false,
  version bigint not null default 1,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (organization_id, directory_user_id),
  constraint directory_user_name_taken unique (organization_id, user_key),
  constraint directory_user_external_id_taken unique (organization_id, external_id)
);
comment on table app.directory_user is
  'Somebody in a company''s directory. The company''s word about its own; no account, and no practice.';
comment on column app.directory_user.user_key is
  'In lower case, as a column: the index of an expression is not used below a policy, since lower() might tell of rows that it hides.';
comment on column app.directory_user.active is 'As the directory says. Only true makes a membership.';
comment on column app.directory_user.declined is
  'The person has left the company here. The directory doesn''t bring them back; they themselves may come.';
create index directory_user_by_age on app.directory_user (organization_id, created_at, directory_user_id);
create index directory_user_by_address on app.directory_user (organization_id, address);

create table app.directory_group (
  organization_id uuid not null references app.organization (organization_id) on delete cascade,
  directory_group_id uuid not null,
  display_name text not null check (char_length(display_name) between 1 and 1024),
  name_key text not null generated always as (lower(display_name)) stored,
  external_id text check (char_length(external_id) <= 1024),
  version bigint not null default 1,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (organization_id, directory_group_id),
  constraint directory_group_name_taken unique (organization_id, name_key),
  constraint directory_group_external_id_taken unique (organization_id, external_id)
);
comment on table app.directory_group is 'A team within a company, as its directory has it.';
create index directory_group_by_age on app.directory_group (organization_id, created_at, directory_group_id);

create table app.directory_group_member (
  organization_id uuid not null,
  directory_group_id uuid not null,
  directory_user_id uuid not null,
  primary key (organization_id, directory_group_id, directory_user_id),
  constraint directory_group_member_group foreign key (organization_id, directory_group_id)
    references app.directory_group (organization_id, directory_group_id) on delete cascade,
  constraint directory_group_member_user foreign key (organization_id, directory_user_id)
    references app.directory_user (organization_id, directory_user_id) on delete cascade
);
comment on table app.directory_group_member is 'Who belongs to which team.';
create index directory_group_member_by_user on app.directory_group_member (organization_id, directory_user_id);

-- How many users there are is asked with every page. Each company has up to sixteen of these rows, of which
-- a user changes one, so that several who push at once seldom wait for one another.
create table app.directory_tally (
  organization_id uuid not null references app.organization (organization_id) on delete cascade,
  shard integer not null check (shard between 0 and 15),
  users bigint not null,
  primary key (organization_id, shard)
) with (fillfactor = 50);
comment on table app.directory_tally is 'How many users a company''s directory has, in parts to be added up.';

create table app.directory_leaver (
  organization_id uuid not null references app.organization (organization_id) on delete cascade,
  digest bytea not null check (octet_length(digest) = 32),
  primary key (organization_id, digest)
);
comment on table app.directory_leaver is
  'Whom the directory has deleted, by a digest of their address: the domain alone doesn''t let them in again. Gone when the directory has them again.';

create function app.leaver_digest(organization uuid, mailbox text) returns bytea
  language sql immutable strict parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select sha256(convert_to(organization || ' ' || mailbox, 'UTF8'));
$$;
revoke all on function app.leaver_digest(uuid, text) from public;
grant execute on function app.leaver_digest(uuid, text) to breathmaster_worker;

-- Who comes in and who is let go at the same moment take turns, address by address: whichever is
-- second finds what the first has done.
create function app.await_turn(organization uuid, mailbox text) returns void
  language sql strict
  set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_xact_lock(hashtextextended('app.directory ' || organization || ' ' || mailbox, 0));
$$;
revoke all on function app.await_turn(uuid, text) from public;
grant execute on function app.await_turn(uuid, text) to breathmaster_worker;

alter table app.directory_user enable row level security;
alter table app.directory_user force row level security;
create policy directory_user_provisioned on app.directory_user to breathmaster_api, breathmaster_worker
  using (organization_id = (select app.key_organization_id()))
  with check (organization_id = (select app.key_organization_id()));
alter table app.directory_group enable row level security;
alter table app.directory_group force row level security;
create policy directory_group_provisioned on app.directory_group to breathmaster_api
  using (organization_id = (select app.key_organization_id()))
  with check (organization_id = (select app.key_organization_id()));
alter table app.directory_group_member enable row level security;
alter table app.directory_group_member force row level security;
create policy directory_group_member_provisioned on app.directory_group_member to breathmaster_api
  using (organization_id = (select app.key_organization_id()))
  with check (organization_id = (select app.key_organization_id()));
alter table app.directory_tally enable row level security;
alter table app.directory_tally force row level security;
create policy directory_tally_provisioned on app.directory_tally to breathmaster_api, breathmaster_worker
  using (organization_id = (select app.key_organization_id()))
  with check (organization_id = (select app.key_organization_id()));
grant select on app.directory_tally to breathmaster_api;
grant select, insert, update (users) on app.directory_tally to breathmaster_worker;

alter table app.directory_leaver enable row level security;
alter table app.directory_leaver force row level security;
create policy directory_leaver_provisioned on app.directory_leaver to breathmaster_worker
  using (organization_id = (select app.key_organization_id()))
  with check (organization_id = (select app.key_organization_id()));

grant select, delete,
  insert (organization_id, directory_user_id, user_name, external_id, display_name, formatted_name, family_name, given_name,
    emails, active, created_at, changed_at),
  update (user_name, external_id, display_name, formatted_name, family_name, given_name, emails, active, version, changed_at)
  on app.directory_user to breathmaster_api;
grant select, delete, insert (organization_id, directory_group_id, display_name, external_id, created_at, changed_at),
  update (display_name, external_id, version, changed_at)
  on app.directory_group to breathmaster_api;
grant select, insert, delete on app.directory_group_member to breathmaster_api;
grant select, update (declined) on app.directory_user to breathmaster_worker;
grant select, insert, delete on app.directory_leaver to breathmaster_worker;

-- MARK: What it makes of people

alter table app.member
  add column agreed_at timestamptz default now(),
  add column directory_user_id uuid;
-- Its check of the rows that there are asks the policies, and nobody is bound here.
alter table app.member no force row level security;
alter table app.directory_user no force row level security;
-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid
alter table app.member add constraint member_directory_user foreign key (organization_id, directory_user_id)
  references app.directory_user (organization_id, directory_user_id) on delete cascade;
alter table app.member force row level security;
alter table app.directory_user force row level security;
-- squawk-ignore require-concurrent-index-creation
create index member_by_directory_user on app.member (organization_id, directory_user_id);
comment on column app.member.agreed_at is
  'When the person agreed to be seen there. Null where the directory has put them in: until then nothing of theirs is on a board.';
comment on column app.member.directory_user_id is 'Whom the directory knows them as: without that row, the membership is over.';

-- Functions that look across people have the rights of the worker, and their policies show them the
-- company whose directory it is, its proved domains, and the addresses in those.
create function app.provisioned_domains() returns text[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(domain), '{}') from app.domain_claim
  where organization_id = (select app.followed_organization_id()) and proved_at is not null;
$$;
comment on function app.provisioned_domains() is 'The domains in which the word of the bound company''s directory counts.';
revoke all on function app.provisioned_domains() from public;

create policy domain_claim_provisioned on app.domain_claim for select to breathmaster_worker
  using (organization_id = (select app.followed_organization_id()));
create policy email_claim_provisioned on app.email_claim for select to breathmaster_worker
  using (domain = any ((select app.provisioned_domains())::text[]));
create policy member_provisioned on app.member to breathmaster_worker
  using (organization_id = (select app.followed_organization_id()))
  with check (organization_id = (select app.followed_organization_id()));
grant select (organization_id, domain, proved_at) on app.domain_claim to breathmaster_worker;
grant select (uid, domain) on app.email_claim to breathmaster_worker;
grant select (organization_id, uid, agreed_at, directory_user_id), delete, update (directory_user_id),
  insert (organization_id, uid, role, agreed_at, directory_user_id, domain)
  on app.member to breathmaster_worker;

-- Which companies' directories may know the bound person, by the domains of their addresses: those that
-- the policy domain_claim_own shows.
create function app.addressed_organization_ids() returns uuid[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  -- Of companies that are open: the policy organization_inviting shows no others.
  select coalesce(array_agg(c.organization_id), '{}')
  from app.domain_claim c join app.organization o on o.organization_id = c.organization_id
  where c.proved_at is not null and c.domain = any ((select app.own_domains())::text[]);
$$;
comment on function app.addressed_organization_ids() is
  'The companies that have proved a domain of the bound user''s addresses. For functions, not for the server: that a company is here is nobody else''s to know.';
revoke all on function app.addressed_organization_ids() from public;

-- Somebody may be in a directory twice, and what one of the entries says goes on when the other one ends.
create function app.other_entry(entry app.directory_user) returns uuid
  language sql stable
  set search_path = pg_catalog, pg_temp
as $$
  select d.directory_user_id from app.directory_user d
  where d.organization_id = entry.organization_id and d.address = entry.address and d.active
    and d.directory_user_id <> entry.directory_user_id
    and split_part(d.address, '@', 2) = any (app.provisioned_domains())
  order by d.directory_user_id
  limit 1;
$$;
comment on function app.other_entry(app.directory_user) is 'Another one that is active and has the same address.';
revoke all on function app.other_entry(app.directory_user) from public;

-- Each change of somebody in the directory is a change of who belongs, at once. Also one that changes nothing:
-- a directory says the same again and again, and so makes good what was missed. It never ends an owner's
-- membership, and knows none: whoever holds a key would have more rights than an admin.
create function app.follow_directory() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  other uuid;
begin
  perform app.await_turn(new.organization_id, new.address);
  if new.active and split_part(new.address, '@', 2) = any (app.provisioned_domains()) then
    delete from app.directory_leaver
    where organization_id = new.organization_id and digest = app.leaver_digest(new.organization_id, new.address);
    insert into app.member (organization_id, uid, role, agreed_at, directory_user_id, domain)
    select new.organization_id, e.uid, 'member', null, new.directory_user_id, e.domain
    from app.email_claim e
    where e.mailbox = new.address and not new.declined
    on conflict (organization_id, uid) do update set directory_user_id = excluded.directory_user_id
      where member.directory_user_id is null and member.role <> 'owner';
    return null;
  end if;
  other := app.other_entry(new);
  if other is not null then
    update app.member set directory_user_id = other
    where organization_id = new.organization_id and directory_user_id = new.directory_user_id;
    return null;
  end if;
  delete from app.member where organization_id = new.organization_id and directory_user_id = new.directory_user_id;
  -- And who came by the domain before the directory did, unless it has them once more, and active.
  delete from app.member
  where organization_id = new.organization_id
    and uid in (select e.uid from app.email_claim e where e.mailbox = new.address)
    and not exists (
      select from app.directory_user d
      where d.organization_id = new.organization_id and d.address = new.address and d.active)
    and role <> 'owner';
  return null;
end
$$;
create trigger directory_user_followed
  after insert or update of user_name, emails, active on app.directory_user
  for each row execute function app.follow_directory();

create function app.tally_directory() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  entry constant app.directory_user := case tg_op when 'INSERT' then new else old end;
  change constant integer := case tg_op when 'INSERT' then 1 else -1 end;
begin
  -- Where the company itself goes, its count goes too.
  if current_setting('app.key_organization_id', true) is distinct from entry.organization_id::text then
    return null;
  end if;
  insert into app.directory_tally as t (organization_id, shard, users)
  values (entry.organization_id, get_byte(uuid_send(entry.directory_user_id), 0) % 16, change)
  on conflict (organization_id, shard) do update set users = t.users + excluded.users;
  return null;
end
$$;
create trigger directory_user_tallied
  after insert or delete on app.directory_user
  for each row execute function app.tally_directory();

create function app.pass_on_member() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  -- Where the company itself goes, nobody is left to be passed on.
  if current_setting('app.key_organization_id', true) = old.organization_id::text then
    update app.member set directory_user_id = coalesce(app.other_entry(old), directory_user_id)
    where organization_id = old.organization_id and directory_user_id = old.directory_user_id;
  end if;
  return old;
end
$$;
create trigger directory_user_passed_on
  before delete on app.directory_user
  for each row execute function app.pass_on_member();

-- The membership goes by its foreign key. What is kept is that they don't come back by the domain alone.
create function app.remember_leaver() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  -- Where the company itself goes, there is nothing to come back to.
  if current_setting('app.key_organization_id', true) is distinct from old.organization_id::text
    or old.address is null
    or exists (
      select from app.directory_user d
      where d.organization_id = old.organization_id and d.address = old.address and d.active)
  then
    return null;
  end if;
  perform app.await_turn(old.organization_id, old.address);
  insert into app.directory_leaver (organization_id, digest)
  values (old.organization_id, app.leaver_digest(old.organization_id, old.address))
  on conflict do nothing;
  delete from app.member
  where organization_id = old.organization_id
    and uid in (select e.uid from app.email_claim e where e.mailbox = old.address)
    and role <> 'owner';
  return null;
end
$$;
create trigger directory_user_deleted
  after delete on app.directory_user
  for each row execute function app.remember_leaver();

-- The door of a membership, whichever way somebody comes: the directory knows them and says yes, or it
-- has nothing to say of them. Whoever it has ended doesn't come in by another address of theirs.
create function app.admit_member() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
  entry record;
begin
  perform set_config('app.key_organization_id', new.organization_id::text, true);
  perform app.await_turn(new.organization_id, mailbox)
  from (select e.mailbox from app.email_claim e where e.uid = new.uid order by e.mailbox) as theirs;
  select d.directory_user_id, d.declined into entry
  from app.email_claim e
    join app.directory_user d on d.organization_id = new.organization_id and d.address = e.mailbox
  where e.uid = new.uid and d.active
  order by d.directory_user_id
  limit 1;
  if found then
    if new.role <> 'owner' then
      new.directory_user_id := coalesce(new.directory_user_id, entry.directory_user_id);
    end if;
    if entry.declined then
      update app.directory_user set declined = false
      where organization_id = new.organization_id and directory_user_id = entry.directory_user_id;
    end if;
  elsif exists (
    select from app.email_claim e
    where e.uid = new.uid
      and (
        exists (
          select from app.directory_user d where d.organization_id = new.organization_id and d.address = e.mailbox)
        or exists (
          select from app.directory_leaver l
          where l.organization_id = new.organization_id
            and l.digest = app.leaver_digest(new.organization_id, e.mailbox))
      )
  ) then
    raise exception 'the directory of that organization has ended this user''s membership' using errcode = 'BM404';
  end if;
  perform set_config('app.key_organization_id', outer_organization, true);
  return new;
end
$$;
create trigger member_admitted
  before insert on app.member
  for each row execute function app.admit_member();

-- Who goes by themself, or is sent away here, isn't brought back by the next sync of the directory.
create function app.note_departure() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
begin
  -- It is the directory itself that ends it.
  if outer_organization = old.organization_id::text then
    return null;
  end if;
  perform set_config('app.key_organization_id', old.organization_id::text, true);
  update app.directory_user set declined = true
  where organization_id = old.organization_id and directory_user_id = old.directory_user_id;
  perform set_config('app.key_organization_id', outer_organization, true);
  return null;
end
$$;
create trigger member_departed
  after delete on app.member
  for each row when (old.directory_user_id is not null) execute function app.note_departure();

-- A person shows an address, and a directory that has it is waiting for them.
create function app.greet_address() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
  organization uuid;
begin
  foreach organization in array app.addressed_organization_ids() loop
    perform set_config('app.key_organization_id', organization::text, true);
    insert into app.member (organization_id, uid, role, agreed_at, directory_user_id, domain)
    select organization, new.uid, 'member', null, d.directory_user_id, new.domain
    from app.directory_user d
    where d.organization_id = organization and d.address = lower(new.address) and d.active and not d.declined
    order by d.directory_user_id
    limit 1
    on conflict (organization_id, uid) do update set directory_user_id = excluded.directory_user_id
      where member.directory_user_id is null and member.role <> 'owner';
  end loop;
  perform set_config('app.key_organization_id', outer_organization, true);
  return null;
end
$$;
create trigger email_claim_greeted
  after insert on app.email_claim
  for each row execute function app.greet_address();

-- A domain is proved, and the directory has people in it already.
create function app.greet_domain() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
begin
  perform set_config('app.key_organization_id', new.organization_id::text, true);
  insert into app.member (organization_id, uid, role, agreed_at, directory_user_id, domain)
  select distinct on (e.uid) new.organization_id, e.uid, 'member', null::timestamptz, d.directory_user_id, new.domain
  from app.directory_user d
    join app.email_claim e on e.mailbox = d.address
  where d.organization_id = new.organization_id and d.active and not d.declined and e.domain = new.domain
  order by e.uid, d.directory_user_id
  on conflict (organization_id, uid) do update set directory_user_id = excluded.directory_user_id
    where member.directory_user_id is null and member.role <> 'owner';
  perform set_config('app.key_organization_id', outer_organization, true);
  return null;
end
$$;
create trigger domain_claim_greeted
  after insert or update of proved_at on app.domain_claim
  for each row when (new.proved_at is not null) execute function app.greet_domain();

-- MARK: What of them is seen

-- Nothing, until they agree: whatever writes a board, such a row is left out.
create function app.require_agreement() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
  asked boolean;
begin
  perform set_config('app.key_organization_id', new.organization_id::text, true);
  asked := not exists (
    select from app.member where organization_id = new.organization_id and uid = new.uid and agreed_at is null);
  perform set_config('app.key_organization_id', outer_organization, true);
  return case when asked then new end;
end
$$;
create trigger company_standing_agreed
  before insert on app.company_standing
  for each row execute function app.require_agreement();

drop trigger member_joined on app.member;
create trigger member_joined
  after insert on app.member
  for each row when (new.agreed_at is not null) execute function app.project_on_change();
create trigger member_agreed
  after update of agreed_at on app.member
  for each row when (old.agreed_at is null and new.agreed_at is not null) execute function app.project_on_change();

revoke all on function app.follow_directory(), app.tally_directory(), app.pass_on_member(), app.remember_leaver(), app.admit_member(), app.note_departure(),
  app.greet_address(), app.greet_domain(), app.require_agreement() from public;
grant create on schema app to breathmaster_worker, breathmaster_boards;
grant execute on function app.key_organization_id() to breathmaster_worker;
alter function app.provisioned_domains() owner to breathmaster_worker;
alter function app.follow_directory() owner to breathmaster_worker;
alter function app.tally_directory() owner to breathmaster_worker;
alter function app.other_entry(app.directory_user) owner to breathmaster_worker;
alter function app.pass_on_member() owner to breathmaster_worker;
alter function app.remember_leaver() owner to breathmaster_worker;
alter function app.admit_member() owner to breathmaster_worker;
alter function app.note_departure() owner to breathmaster_worker;
alter function app.greet_address() owner to breathmaster_worker;
alter function app.greet_domain() owner to breathmaster_worker;
alter function app.require_agreement() owner to breathmaster_worker;
alter function app.addressed_organization_ids() owner to breathmaster_boards;
revoke create on schema app from breathmaster_worker, breathmaster_boards;
set local role breathmaster_boards;
grant execute on function app.addressed_organization_ids() to breathmaster_worker;
set local role breathmaster_owner;
