-- Organizations: company tenants, layered on top of people who belong to themselves.

create table app.organization (
  organization_id uuid primary key,
  name text not null constraint organization_name_invalid check (char_length(name) between 1 and 80),
  created_at timestamptz not null default now()
);
comment on table app.organization is 'A company tenant.';

create table app.member (
  organization_id uuid not null references app.organization (organization_id) on delete cascade,
  uid uuid not null constraint member_uid_across references app.user (uid) on delete cascade,
  role text not null check (role in ('owner', 'admin', 'analyst', 'member')),
  joined_at timestamptz not null default now(),
  primary key (organization_id, uid)
);
comment on table app.member is 'A person in an organization. The organization sees that they belong, never their practice.';
create index member_by_uid on app.member (uid);

create table app.domain_claim (
  organization_id uuid not null references app.organization (organization_id) on delete cascade,
  domain text not null
    constraint domain_claim_invalid
      check (domain = lower(domain) and domain ~ '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$'),
  proved_at timestamptz,
  primary key (organization_id, domain),
  constraint domain_claim_taken unique (domain)
);
comment on table app.domain_claim is 'A mail domain that an organization holds. One of the few facts that are unique across tenants.';

create table app.email_claim (
  uid uuid not null references app.user (uid) on delete cascade,
  address text not null
    constraint email_claim_invalid check (char_length(address) <= 254 and address ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
  domain text not null generated always as (lower(split_part(address, '@', 2))) stored,
  verified_at timestamptz not null default now(),
  primary key (uid, address)
);
comment on table app.email_claim is 'An address that a person has shown to be theirs. Joining a company hangs on one of these, not on the profile.';
create unique index email_claim_taken on app.email_claim (lower(address));

-- Binds the transaction to a person, and to an organization when one is named.
-- The settings are made first: the checks below then run under the very
-- policies that they open, and an error takes the settings back.
create function app.bind(bound_uid uuid, bound_organization uuid default null) returns void
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.uid', bound_uid::text, true),
    set_config('app.organization_id', coalesce(bound_organization::text, ''), true);
  if not exists (select from app.user where uid = bound_uid) then
    raise exception 'unknown user' using errcode = 'BM401';
  end if;
  if bound_organization is not null and not exists (
    select from app.member where organization_id = bound_organization and uid = bound_uid
  ) then
    raise exception 'not an active member of that organization' using errcode = 'BM404';
  end if;
end
$$;
comment on function app.bind(uuid, uuid) is 'Raises BM401 for an unknown user and BM404 where the user is not an active member.';
revoke all on function app.bind(uuid, uuid) from public;
grant execute on function app.bind(uuid, uuid) to breathmaster_api, breathmaster_owner;

create function app.own_organization_ids() returns uuid[]
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(organization_id), '{}') from app.member where uid = (select app.uid());
$$;
comment on function app.own_organization_ids() is 'Every organization that the bound user is a member of.';
revoke all on function app.own_organization_ids() from public;
grant execute on function app.own_organization_ids() to breathmaster_api, breathmaster_boards;

alter table app.organization enable row level security;
alter table app.organization force row level security;
create policy organization_bound on app.organization to breathmaster_owner
  using (organization_id = (select app.organization_id()))
  with check (organization_id = (select app.organization_id()));
create policy organization_joined on app.organization for select to breathmaster_api
  using (organization_id = any ((select app.own_organization_ids())::uuid[]));
grant select on app.organization to breathmaster_api;

alter table app.member enable row level security;
alter table app.member force row level security;
create policy member_self on app.member to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select, delete on app.member to breathmaster_api;

alter table app.domain_claim enable row level security;
alter table app.domain_claim force row level security;
create policy domain_claim_bound on app.domain_claim to breathmaster_api, breathmaster_owner
  using (organization_id = (select app.organization_id()))
  with check (organization_id = (select app.organization_id()));
grant select on app.domain_claim to breathmaster_api;

alter table app.email_claim enable row level security;
alter table app.email_claim force row level security;
create policy email_claim_self on app.email_claim to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
grant select on app.email_claim to breathmaster_api;

-- Joining is the person's own act. It succeeds when one of their verified
-- addresses lies in a domain that the organization has proved; otherwise the
-- organization is as invisible as one that does not exist.
create function app.join_organization(joined uuid) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.uid(), set_config('app.organization_id', joined::text, true);
  if not exists (
    select from app.email_claim e
      join app.domain_claim d on d.domain = e.domain
    where e.uid = (select app.uid())
      and d.organization_id = (select app.organization_id())
      and d.proved_at is not null
  ) then
    raise exception 'no proved domain of that organization holds an address of this user' using errcode = 'BM404';
  end if;
  insert into app.member (organization_id, uid, role)
  values (joined, (select app.uid()), 'member')
  on conflict do nothing;
end
$$;
revoke all on function app.join_organization(uuid) from public;
grant execute on function app.join_organization(uuid) to breathmaster_api;

-- The operator's two acts. Executable by the owner alone.
create function app.create_organization(called text, held_domain text, owner_uid uuid) returns uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  created constant uuid := gen_random_uuid();
begin
  perform app.bind(owner_uid);
  perform set_config('app.organization_id', created::text, true);
  insert into app.organization (organization_id, name) values (created, called);
  insert into app.domain_claim (organization_id, domain, proved_at) values (created, lower(held_domain), now());
  insert into app.member (organization_id, uid, role) values (created, owner_uid, 'owner');
  return created;
end
$$;
comment on function app.create_organization(text, text, uuid) is 'A company with one domain that the operator vouches for, and its first owner.';
revoke all on function app.create_organization(text, text, uuid) from public;

create function app.record_email(of_uid uuid, of_address text) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform app.bind(of_uid);
  if exists (select from app.email_claim where uid = of_uid and lower(address) = lower(of_address)) then
    return;
  end if;
  insert into app.email_claim (uid, address) values (of_uid, of_address);
end
$$;
comment on function app.record_email(uuid, text) is 'An address that the operator has verified by other means.';
revoke all on function app.record_email(uuid, text) from public;
