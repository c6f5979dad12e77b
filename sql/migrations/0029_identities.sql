-- Signing in by a provider of OpenID Connect, such as Google.
--
-- Whom a provider means is told by its issuer and its subject together, and by nothing
-- else (OpenID Connect Core 1.0 §5.7): addresses change hands. The server has looked at
-- the signature by then, which Postgres can't. What Postgres sees to is that one identity
-- is one person's, that what was shown once is not shown again, and that nobody takes
-- away the last way into their account.

-- The one identity that somebody has shown, by which the worker may find whose it is.
create function app.identified() returns text
  language sql stable parallel safe
  set search_path = pg_catalog, pg_temp
as $$
  select nullif(current_setting('app.identified', true), '')
$$;
comment on function app.identified() is
  'The identity whose person is looked for. Null where there is none, since the worker''s policies stand side by side and one must not fail another.';
revoke all on function app.identified() from public;
grant execute on function app.identified() to breathmaster_worker;

create table app.identity (
  uid uuid not null references app.user (uid) on delete cascade,
  issuer text not null check (char_length(issuer) between 1 and 255 and issuer !~ '[[:space:]]'),
  subject text not null check (char_length(subject) between 1 and 255),
  identifier text not null generated always as (issuer || ' ' || subject) stored,
  address text check (char_length(address) <= 254),
  linked_at timestamptz not null,
  primary key (uid, issuer),
  constraint identity_taken unique (identifier)
);
comment on table app.identity is
  'Whom a provider of OpenID Connect knows this person as: one for each provider. Nothing but a way in.';
comment on column app.identity.identifier is 'What names somebody at a provider: its issuer and its subject there. The issuer has no space in it.';
comment on column app.identity.address is
  'Which address the provider showed then, for the person to know which account it is. It gives nothing: what counts is app.email_claim.';

alter table app.identity enable row level security;
alter table app.identity force row level security;
create policy identity_self on app.identity to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
create policy identity_identified on app.identity for select to breathmaster_worker
  using (identifier = (select app.identified()));
grant select (uid, issuer, address, linked_at) on app.identity to breathmaster_api;
grant select (uid, identifier) on app.identity to breathmaster_worker;

create function app.uid_by_identity(of_issuer text, of_subject text) returns uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  found_uid uuid;
begin
  perform set_config('app.identified', of_issuer || ' ' || of_subject, true);
  select uid into found_uid from app.identity where identifier = (select app.identified());
  perform set_config('app.identified', '', true);
  return found_uid;
end
$$;
comment on function app.uid_by_identity(text, text) is 'Whose identity it is. For other functions alone: it tells who is here.';
revoke all on function app.uid_by_identity(text, text) from public;

create table app.spent_nonce (
  digest bytea primary key check (octet_length(digest) = 32),
  spent_at timestamptz not null,
  good_until timestamptz not null
);
comment on table app.spent_nonce is
  'Nonces of ID tokens that were taken, until they are over by themselves: so no ID token is good twice.';
create index spent_nonce_over on app.spent_nonce (good_until);

alter table app.spent_nonce enable row level security;
alter table app.spent_nonce force row level security;
create policy spent_nonce_delivering on app.spent_nonce to breathmaster_worker
  using (spent_at <= (select app.delivering())) with check (spent_at <= (select app.delivering()));
grant select, insert, delete on app.spent_nonce to breathmaster_worker;

create function app.spend_nonce(shown bytea, at timestamptz, until timestamptz) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  is_new boolean;
begin
  perform set_config('app.delivering', at::text, true);
  delete from app.spent_nonce where good_until <= at;
  insert into app.spent_nonce (digest, spent_at, good_until) values (shown, at, until) on conflict do nothing;
  is_new := found;
  perform set_config('app.delivering', '', true);
  return is_new;
end
$$;
comment on function app.spend_nonce(bytea, timestamptz, timestamptz) is 'Whether it was not spent before.';
revoke all on function app.spend_nonce(bytea, timestamptz, timestamptz) from public;

grant create on schema app to breathmaster_worker;
alter function app.uid_by_identity(text, text) owner to breathmaster_worker;
alter function app.spend_nonce(bytea, timestamptz, timestamptz) owner to breathmaster_worker;
revoke create on schema app from breathmaster_worker;
set local role breathmaster_worker;
grant execute on function app.uid_by_identity(text, text) to breathmaster_owner;
grant execute on function app.spend_nonce(bytea, timestamptz, timestamptz) to breathmaster_owner;
set local role breathmaster_owner;

create function app.enter_by_identity(
  of_issuer text, of_subject text, shown_address text, vouched_address text, nonce bytea, at timestamptz,
  until timestamptz, out outcome text, out entered uuid
)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  if not app.spend_nonce(nonce, at, until) then
    outcome := 'spent';
  else
    -- Who comes twice at once, for the first time, comes one after the other.
    perform pg_advisory_xact_lock(hashtextextended(of_issuer || ' ' || of_subject, 0));
    entered := app.uid_by_identity(of_issuer, of_subject);
    if entered is not null then
      outcome := 'known';
    elsif app.uid_by_email(vouched_address) is not null then
      outcome := 'address taken';
    else
      outcome := 'new';
      entered := app.register();
      insert into app.identity (uid, issuer, subject, address, linked_at)
      values (entered, of_issuer, of_subject, shown_address, at);
      if vouched_address is not null then
        insert into app.email_claim (uid, address, verified_at) values (entered, vouched_address, at);
      end if;
    end if;
  end if;
  perform set_config('app.uid', coalesce(entered::text, ''), true);
end
$$;
comment on function app.enter_by_identity(text, text, text, text, bytea, timestamptz, timestamptz, out text, out uuid) is
  'The user to whom the transaction is bound from now on, made where the identity is nobody''s. Nobody where the nonce was spent before, and where the address that the provider vouches for is an account''s already: whoever has that account says in it that both are theirs.';
revoke all on function app.enter_by_identity(text, text, text, text, bytea, timestamptz, timestamptz, out text, out uuid) from public;
grant execute on function app.enter_by_identity(text, text, text, text, bytea, timestamptz, timestamptz, out text, out uuid) to breathmaster_api;

create function app.link_identity(
  of_issuer text, of_subject text, shown_address text, vouched_address text, nonce bytea, at timestamptz,
  until timestamptz
) returns text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
  holder constant uuid := app.uid_by_identity(of_issuer, of_subject);
begin
  if holder = me then
    -- Asked again, perhaps after an answer that was lost.
    perform app.spend_nonce(nonce, at, until);
    return 'kept';
  elsif holder is not null then
    raise exception 'the identity is another account''s' using errcode = 'BM409', constraint = 'identity_taken';
  elsif not app.spend_nonce(nonce, at, until) then
    return 'spent';
  elsif exists (select from app.identity where uid = me and issuer = of_issuer) then
    raise exception 'another identity of that provider is linked' using errcode = 'BM409', constraint = 'identity_present';
  end if;
  insert into app.identity (uid, issuer, subject, address, linked_at) values (me, of_issuer, of_subject, shown_address, at);
  if vouched_address is not null and app.uid_by_email(vouched_address) is null
    and (select count(*) from app.email_claim where uid = me) < 10
  then
    insert into app.email_claim (uid, address, verified_at) values (me, vouched_address, at);
  end if;
  return 'linked';
end
$$;
comment on function app.link_identity(text, text, text, text, bytea, timestamptz, timestamptz) is
  'Makes an identity a way in for the bound user: ''linked'', ''kept'' where it was one already, ''spent'' where the nonce was. The address that the provider vouches for becomes theirs where it is nobody''s. Raises identity_taken where it is somebody else''s way in.';
revoke all on function app.link_identity(text, text, text, text, bytea, timestamptz, timestamptz) from public;
grant execute on function app.link_identity(text, text, text, text, bytea, timestamptz, timestamptz) to breathmaster_api;

create function app.unlink_identity(of_issuer text) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
begin
  delete from app.identity where uid = me and issuer = of_issuer;
  if not found then
    return false;
  end if;
  if not (
    exists (select from app.identity where uid = me)
    or exists (select from app.recovery_code where uid = me)
    or exists (select from app.password where uid = me) and exists (select from app.email_claim where uid = me)
  ) then
    raise exception 'there would be no way into the account' using errcode = 'BM409', constraint = 'last_way_in';
  end if;
  return true;
end
$$;
comment on function app.unlink_identity(text) is
  'Whether there was one. Raises last_way_in where nothing would be left to come back with: neither a recovery code, nor a password with an address, nor another identity.';
revoke all on function app.unlink_identity(text) from public;
grant execute on function app.unlink_identity(text) to breathmaster_api;
