-- What the migrations add up to. Written by `make schema`; do not edit.

CREATE SCHEMA app;

ALTER SCHEMA app OWNER TO breathmaster_owner;

COMMENT ON SCHEMA app IS 'Tables, policies and functions. Row security is forced on every table with a person or a tenant in it.';

CREATE SCHEMA board;

ALTER SCHEMA board OWNER TO breathmaster_owner;

COMMENT ON SCHEMA board IS 'The leaderboards as views: one per scope, each with only its own metrics.';

CREATE SCHEMA migration;

ALTER SCHEMA migration OWNER TO postgres;

CREATE TYPE app.origin AS (
	request_id uuid,
	source text,
	happened_at timestamp with time zone
);

ALTER TYPE app.origin OWNER TO breathmaster_owner;

COMMENT ON TYPE app.origin IS 'By which request, from where and when. The server''s clock says when.';

CREATE FUNCTION app.accept_ownership(of_organization uuid, origin app.origin) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
  offer app.ownership_offer;
  old text;
begin
  if of_organization <> all (app.own_organization_ids()) then
    raise exception 'no organization of this user' using errcode = 'BM404';
  end if;
  perform set_config('app.organization_id', of_organization::text, true);
  perform from app.organization where organization_id = of_organization for no key update;
  if exists (
    select from app.organization where organization_id = of_organization
      and (suspended_at is not null or deletion_due_at is not null)
  ) then
    raise exception 'the organization is closed' using errcode = 'BM403', constraint = 'not_permitted';
  end if;
  delete from app.ownership_offer where organization_id = of_organization and uid = me and good_until > origin.happened_at
  returning * into offer;
  if not found then
    raise exception 'nothing is offered' using errcode = 'BM404';
  end if;
  select role into old from app.member where organization_id = of_organization and uid = me;
  update app.member set role = 'owner' where organization_id = of_organization and uid = me;
  perform set_config('app.uid', offer.offered_by::text, true);
  update app.member set role = 'admin' where organization_id = of_organization and uid = offer.offered_by;
  perform set_config('app.uid', me::text, true);
  perform app.record_organization_event(of_organization, 'ownership.accepted', 'user:' || me,
    jsonb_build_object('owner', 'user:' || offer.offered_by, 'role', old), jsonb_build_object('owner', 'user:' || me), origin);
end
$$;

ALTER FUNCTION app.accept_ownership(of_organization uuid, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.accept_ownership(of_organization uuid, origin app.origin) IS 'Makes the bound user an owner and the one who offered it an admin. BM404 where nothing is offered, or not any more.';

CREATE FUNCTION app.account_that_goes(digest bytea, asked_by uuid, at timestamp with time zone) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  goes uuid;
begin
  perform set_config('app.delivering', at::text, true);
  select uid into goes from app.account_merge
  where code_digest = digest and good_until > at and uid <> asked_by and coalesce(into_uid, asked_by) = asked_by;
  perform set_config('app.delivering', '', true);
  return goes;
end
$$;

ALTER FUNCTION app.account_that_goes(digest bytea, asked_by uuid, at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.account_that_goes(digest bytea, asked_by uuid, at timestamp with time zone) IS 'Which account shows a code to another one: to any until one has agreed, and to that one from then on. For other functions alone.';

CREATE FUNCTION app.add_access_token(id uuid, hash bytea, name text, scopes text[], at timestamp with time zone, until timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
begin
  -- Two that are made at once take turns, so that twenty are twenty.
  perform from app.user where uid = me for no key update;
  if (select count(*) from app.access_token t where t.uid = me) >= 20 then
    raise exception 'no room for another token' using errcode = 'BM409', constraint = 'access_token_limit_reached';
  end if;
  insert into app.access_token (uid, token_id, hash, name, scopes, created_at, expires_at, sign_in_began_at)
  values (me, id, hash, name, scopes, at, until,
    at - make_interval(secs => nullif(current_setting('app.sign_in_age', true), '')::float8));
end
$$;

ALTER FUNCTION app.add_access_token(id uuid, hash bytea, name text, scopes text[], at timestamp with time zone, until timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.add_access_token(id uuid, hash bytea, name text, scopes text[], at timestamp with time zone, until timestamp with time zone) IS 'Of the bound user. BM409 with twenty, those that are over included.';

CREATE FUNCTION app.add_organization_key(organization uuid, id uuid, hash bytea, name text, scopes text[], sources text[], until timestamp with time zone, origin app.origin) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform app.begin_change(organization, 'keys.manage');
  perform set_config('app.key_organization_id', organization::text, true);
  if (select count(*) from app.organization_key k where k.organization_id = organization) >= 20 then
    raise exception 'no room for another key' using errcode = 'BM409', constraint = 'organization_key_limit_reached';
  end if;
  insert into app.organization_key (organization_id, key_id, hash, name, scopes, sources, created_at, expires_at)
  values (organization, id, hash, name, scopes, sources::cidr[], origin.happened_at, until);
  -- Whoever makes a key hasn't come by it.
  perform set_config('app.key_organization_id', '', true);
  perform app.record_organization_event(organization, 'key.created', 'key:' || id, null,
    jsonb_strip_nulls(jsonb_build_object('name', name, 'scopes', scopes, 'sources', sources, 'expiresAt', until)), origin);
end
$$;

ALTER FUNCTION app.add_organization_key(organization uuid, id uuid, hash bytea, name text, scopes text[], sources text[], until timestamp with time zone, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.add_organization_key(organization uuid, id uuid, hash bytea, name text, scopes text[], sources text[], until timestamp with time zone, origin app.origin) IS 'BM409 with twenty, those that are over included; other errors as app.require_permission.';

CREATE FUNCTION app.addressed() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.addressed'::text, true), ''::text);

ALTER FUNCTION app.addressed() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.addressed() IS 'The address, in lower case, whose person is looked for. Null where there is none, since the worker''s policies stand side by side and one must not fail another.';

CREATE FUNCTION app.addressed_organization_ids() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- Of companies that are open: the policy organization_inviting shows no others.
  select coalesce(array_agg(c.organization_id), '{}')
  from app.domain_claim c join app.organization o on o.organization_id = c.organization_id
  where c.proved_at is not null and c.domain = any ((select app.own_domains())::text[]);
$$;

ALTER FUNCTION app.addressed_organization_ids() OWNER TO breathmaster_boards;

COMMENT ON FUNCTION app.addressed_organization_ids() IS 'The companies that have proved a domain of the bound user''s addresses. For functions, not for the server: that a company is here is nobody else''s to know.';

CREATE FUNCTION app.administrators(of_organization uuid, at timestamp with time zone) RETURNS uuid[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  found_uids uuid[];
begin
  perform set_config('app.tending', at::text, true);
  select coalesce(array_agg(uid order by uid), '{}') into found_uids from app.member
  where organization_id = of_organization and role in ('owner', 'admin');
  perform set_config('app.tending', '', true);
  return found_uids;
end
$$;

ALTER FUNCTION app.administrators(of_organization uuid, at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.administrators(of_organization uuid, at timestamp with time zone) IS 'The owners and admins of the bound organization.';

CREATE FUNCTION app.admit_member() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
  -- A domain that goes in this moment has gone before this looks, or finds whom to look for.
  perform pg_advisory_xact_lock_shared(hashtextextended('app.shown_domain ' || new.organization_id, 0));
  new.shown_domain := (
    select min(e.domain) from app.email_claim e
    where e.uid = new.uid and e.domain = any ((select app.provisioned_domains())::text[])
  );
  perform set_config('app.key_organization_id', outer_organization, true);
  return new;
end
$$;

ALTER FUNCTION app.admit_member() OWNER TO breathmaster_worker;

CREATE FUNCTION app.agree_to_account_merge(digest bytea, at timestamp with time zone) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select app.settle_account_merge(digest, app.uid(), at);
$$;

ALTER FUNCTION app.agree_to_account_merge(digest bytea, at timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.agree_to_account_merge(digest bytea, at timestamp with time zone) IS 'The bound user''s account is the one that stays. False where the code is nobody''s, one''s own, or agreed to by somebody else.';

CREATE FUNCTION app.answer_device_request(id uuid, is_approved boolean, at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
begin
  if not app.settle_device_request(id, case when is_approved then 'approved' else 'denied' end, at) then
    return false;
  end if;
  if is_approved then
    insert into app.device_approval (uid, request_id, approved_at) values (me, id, at);
  end if;
  return true;
end
$$;

ALTER FUNCTION app.answer_device_request(id uuid, is_approved boolean, at timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.answer_device_request(id uuid, is_approved boolean, at timestamp with time zone) IS 'The bound user lets a device in as themself, or doesn''t. False where it doesn''t wait any more.';

CREATE FUNCTION app.ask_deletion(of_organization uuid, origin app.origin) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform app.begin_change(of_organization, 'organization.delete');
  perform app.begin_deletion(of_organization, origin, null);
end
$$;

ALTER FUNCTION app.ask_deletion(of_organization uuid, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.ask_deletion(of_organization uuid, origin app.origin) IS 'Closes the company at once, and deletes it after seven days. Asking again changes nothing. Errors as app.require_permission.';

CREATE FUNCTION app.ask_device_sign_in(id uuid, secret_hash bytea, digest bytea, called text, from_source text, at timestamp with time zone, until timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform set_config('app.delivering', at::text, true);
  delete from app.device_request where asked_at <= at - interval '10 minutes';
  delete from app.device_approval where approved_at <= at - interval '10 minutes';
  if (select count(*) from (select from app.device_request limit 10000) as waiting) >= 10000 then
    raise exception 'too many devices wait' using errcode = '53000';
  end if;
  insert into app.device_request (request_id, hash, code_digest, device_name, source, asked_at, good_until, next_poll_at)
  values (id, secret_hash, digest, called, from_source, at, until, at);
  perform set_config('app.delivering', '', true);
end
$$;

ALTER FUNCTION app.ask_device_sign_in(id uuid, secret_hash bytea, digest bytea, called text, from_source text, at timestamp with time zone, until timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.ask_device_sign_in(id uuid, secret_hash bytea, digest bytea, called text, from_source text, at timestamp with time zone, until timestamp with time zone) IS 'Writes down that a device wants to be signed in. Raises 53000 with ten thousand of them.';

CREATE FUNCTION app.ask_email(asked_address text, code_seed uuid, code_digest bytea, at timestamp with time zone, until timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
  wait integer;
begin
  wait := app.post_mail(gen_random_uuid(), 'emailCode', asked_address, code_seed, at, until);
  if wait is not null then
    return wait;
  end if;
  -- The row of the budget is locked, so one person's addresses are counted one after another.
  delete from app.email_verification where uid = me and good_until <= at - interval '1 day';
  if (
    select count(*) from (
      select lower(address) from app.email_claim where uid = me
      union select lower(address) from app.email_verification where uid = me
      union select lower(asked_address)
    ) as addresses
  ) > 10 then
    raise exception 'no room for another address' using errcode = 'BM409', constraint = 'email_limit_reached';
  end if;
  insert into app.email_verification (uid, address, digest, asked_at, good_until)
  values (me, asked_address, code_digest, at, until)
  on conflict (uid, address) do update
    set (digest, asked_at, good_until, attempts) = (excluded.digest, excluded.asked_at, excluded.good_until, 0);
  return null;
end
$$;

ALTER FUNCTION app.ask_email(asked_address text, code_seed uuid, code_digest bytea, at timestamp with time zone, until timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.ask_email(asked_address text, code_seed uuid, code_digest bytea, at timestamp with time zone, until timestamp with time zone) IS 'Mails a code to an address that the bound user says is theirs; instead, the seconds to wait where that was too much mail.';

CREATE FUNCTION app.ask_friend(other uuid, invited boolean) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
  pair app.friendship;
  door record;
begin
  perform app.take_turns(me, other);
  if exists (select from app.block where uid = me and blocked_uid = other) then
    raise exception 'blocked by oneself' using errcode = 'BM409', constraint = 'friend_blocked';
  end if;
  select * into pair from app.friendship
  where uid = least(me, other) and friend_uid = greatest(me, other);
  if pair.accepted_at is not null then
    return 'friends';
  end if;
  if pair.asked_by <> me and pair.withdrawn_at is null then
    -- The other has said it before, and it doesn't matter whether that was declined since.
    perform app.require_friend_place(false);
    update app.friendship set accepted_at = now(), declined_at = null, ended_at = null
    where uid = pair.uid and friend_uid = pair.friend_uid;
    return 'friends';
  end if;
  if pair.asked_by = me and pair.withdrawn_at is null then
    if not invited then
      return 'requested';
    end if;
  else
    perform app.require_friend_place(true);
  end if;

  select * into door from app.friend_door(other);
  if (case when invited then door.codes_welcome else door.asks_welcome end) is not true then
    raise exception 'nobody there to ask' using errcode = 'BM404';
  end if;
  -- Who said no, and asks now, asks like anybody.
  if pair.asked_by is distinct from me then
    pair.declined_at := null;
    pair.ended_at := null;
  end if;
  -- Whom they blocked is answered as one who waits, and so is whom they declined or removed before: a code, which they
  -- gave away, takes that back; asking once more doesn't, nor does a code from before the removal.
  pair.declined_at := case
    when door.closed then now()
    when not invited or door.code_made_at <= pair.ended_at then pair.declined_at
  end;
  -- To accept somebody whom one removed is for oneself to do.
  pair.accepted_at := case when door.accepts and pair.declined_at is null and pair.ended_at is null then now() end;
  insert into app.friendship (uid, friend_uid, asked_by, accepted_at, declined_at, ended_at)
  values (least(me, other), greatest(me, other), me, pair.accepted_at, pair.declined_at, pair.ended_at)
  on conflict (uid, friend_uid) do update
    set (asked_by, asked_at, accepted_at, declined_at, withdrawn_at, ended_at)
      = (excluded.asked_by, excluded.asked_at, excluded.accepted_at, excluded.declined_at, null, excluded.ended_at);
  return case when pair.accepted_at is null then 'requested' else 'friends' end;
end
$$;

ALTER FUNCTION app.ask_friend(other uuid, invited boolean) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.ask_friend(other uuid, invited boolean) IS 'What asking by uid and by code have in common.';

CREATE FUNCTION app.ask_password_reset(id uuid, given text, code_seed uuid, code_digest bytea, at timestamp with time zone, until timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform set_config('app.delivering', at::text, true);
  if (select count(*) from (select from app.password_reset where state = 'waiting' limit 10000) as waiting) >= 10000 then
    raise exception 'the outbox is full' using errcode = '53000';
  end if;
  insert into app.password_reset (reset_id, address, seed, digest, asked_at, good_until)
  values (id, given, code_seed, code_digest, at, until);
  perform set_config('app.delivering', '', true);
end
$$;

ALTER FUNCTION app.ask_password_reset(id uuid, given text, code_seed uuid, code_digest bytea, at timestamp with time zone, until timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.ask_password_reset(id uuid, given text, code_seed uuid, code_digest bytea, at timestamp with time zone, until timestamp with time zone) IS 'Writes down that a password is forgotten, whether or not the address is anybody''s.';

CREATE FUNCTION app.audit_season(week text) RETURNS TABLE(organization_id uuid, metric text, what text, stored text, expected text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  board record;
  place record;
  before record;
  chain bytea;
  places integer;
begin
  perform set_config('app.closing_season', week, true);
  for board in
    select null::uuid as organization_id, s.metric, s.people, s.digest
    from app.global_season s
    where s.period = week and s.finalised_at is not null
    union all
    select s.organization_id, s.metric, s.people, s.digest
    from app.company_season s
    where s.period = week and s.finalised_at is not null
    order by 1, 2
  loop
    chain := '';
    places := 0;
    select 0 as "position", 0 as rank, null::double precision as value into before;
    for place in
      select r."position", r.rank, r.value::double precision as value, r.entry_id
      from app.global_season_rank r
      where board.organization_id is null and r.period = week and r.metric = board.metric
      union all
      select r."position", r.rank, r.value, r.uid
      from app.company_season_rank r
      where r.organization_id = board.organization_id and r.period = week and r.metric = board.metric
      order by 1
    loop
      places := places + 1;
      organization_id := board.organization_id;
      metric := board.metric;
      if place.value > before.value then
        what := format('the value at place %s', place."position");
        stored := place.value;
        expected := format('at most %s', before.value);
        return next;
      elsif place.value = before.value and place.rank <> before.rank then
        what := format('the rank at place %s', place."position");
        stored := place.rank;
        expected := before.rank;
        return next;
      elsif place.value is distinct from before.value and place.rank not between before."position" + 1 and place."position" then
        what := format('the rank at place %s', place."position");
        stored := place.rank;
        expected := place."position";
        return next;
      end if;
      chain := sha256(chain || convert_to(format('%s,%s,%s;', place.rank, place.entry_id, place.value), 'UTF8'));
      before := place;
    end loop;
    organization_id := board.organization_id;
    metric := board.metric;
    if greatest(places, before."position") > board.people then
      what := 'the number of people';
      stored := board.people;
      expected := format('at least %s', greatest(places, before."position"));
      return next;
    elsif places = board.people and chain <> board.digest then
      what := 'the digest';
      stored := encode(board.digest, 'hex');
      expected := encode(chain, 'hex');
      return next;
    end if;
  end loop;
  perform set_config('app.closing_season', '', true);
end
$$;

ALTER FUNCTION app.audit_season(week text) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.audit_season(week text) IS 'What is wrong with a week''s boards that are history, as far as they tell by themselves.';

CREATE FUNCTION app.audit_tally(week text) RETURNS TABLE(metric text, level integer, bucket integer, stored bigint, expected bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform set_config('app.closing_season', week, true);
  return query
  with kept as (
    select t.metric, t.level::integer as level, t.bucket, sum(t.people)::bigint as people
    from (
      select g.metric, g.level, g.bucket, g.people from app.global_tally g where g.period = week
      union all
      select c.metric, l.level, case l.level when 0 then c.value else c.value / 128 end, c.people
      from app.global_tally_change c
        cross join (values (0), (1)) as l (level)
      where c.period = week
    ) as t
    group by 1, 2, 3
  ), counted as (
    select reached.metric, l.level, case l.level when 0 then reached.value else reached.value / 128 end as bucket,
      count(*) as people
    from app.global_standing s
      cross join lateral (values ('weekly_xp', s.weekly_xp), ('weekly_streak', s.weekly_streak)) as reached (metric, value)
      cross join (values (0), (1)) as l (level)
    where s.period = week and reached.value > 0
    group by 1, 2, 3
  )
  select metric, level, bucket, coalesce(k.people, 0), coalesce(c.people, 0)
  from kept k
    full join counted c using (metric, level, bucket)
  where coalesce(k.people, 0) <> coalesce(c.people, 0)
  order by 1, 2, 3;
  perform set_config('app.closing_season', '', true);
end
$$;

ALTER FUNCTION app.audit_tally(week text) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.audit_tally(week text) IS 'Where the counts of a week''s global boards differ from the people on them.';

CREATE FUNCTION app.audited_weeks() RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select period from app.global_tally
  union
  select period from app.global_tally_change
  union
  select period from app.season
$$;

ALTER FUNCTION app.audited_weeks() OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.audited_weeks() IS 'The weeks of which there is a count or a season, as far as that can be told without looking at people.';

CREATE FUNCTION app.auditing() RETURNS uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  place constant text := current_setting('app.auditing', true);
begin
  if place is null or place = '' then
    raise exception 'nothing is being audited in this transaction' using errcode = 'insufficient_privilege';
  end if;
  return place::uuid;
end
$$;

ALTER FUNCTION app.auditing() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.auditing() IS 'The uid after which the audit reads on: its policy lets it see the people from there. Raises 42501 when there is none.';

CREATE FUNCTION app.await_turn(organization uuid, mailbox text) RETURNS void
    LANGUAGE sql STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select pg_advisory_xact_lock(hashtextextended('app.directory ' || organization || ' ' || mailbox, 0));
$$;

ALTER FUNCTION app.await_turn(organization uuid, mailbox text) OWNER TO breathmaster_owner;

CREATE FUNCTION app.befriend(other uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if other = app.uid() then
    raise exception 'nobody is their own friend' using errcode = 'BM422';
  end if;
  return app.ask_friend(other, false);
end
$$;

ALTER FUNCTION app.befriend(other uuid) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.befriend(other uuid) IS 'Answers requested or friends. BM404 where the other takes no requests or does not exist, BM422 for oneself, BM409 where the constraint that it names stands against it.';

CREATE FUNCTION app.begin_change(of_organization uuid, asked text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform app.require_permission(of_organization, asked);
  perform set_config('app.organization_id', of_organization::text, true);
  perform from app.organization where organization_id = of_organization for no key update;
  perform app.require_permission(of_organization, asked);
end
$$;

ALTER FUNCTION app.begin_change(of_organization uuid, asked text) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.begin_change(of_organization uuid, asked text) IS 'Binds the organization and takes its turn, for what the bound user''s role allows. Errors as app.require_permission.';

CREATE FUNCTION app.begin_deletion(of_organization uuid, origin app.origin, by_actor text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  update app.organization set deletion_due_at = origin.happened_at + interval '7 days'
  where organization_id = of_organization and deletion_due_at is null;
  if not found then
    return;
  end if;
  insert into app.organization_deletion (organization_id, asked_at) values (of_organization, origin.happened_at);
  perform app.record_organization_event(of_organization, 'organization.deletion-asked', 'organization', null,
    jsonb_build_object('dueAt', origin.happened_at + interval '7 days'), origin, by_actor);
end
$$;

ALTER FUNCTION app.begin_deletion(of_organization uuid, origin app.origin, by_actor text) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.begin_deletion(of_organization uuid, origin app.origin, by_actor text) IS 'What asking by the owner and by the operator have in common, in a bound organization.';

CREATE FUNCTION app.bind(bound_uid uuid, bound_organization uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION app.bind(bound_uid uuid, bound_organization uuid) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.bind(bound_uid uuid, bound_organization uuid) IS 'Raises BM401 for an unknown user and BM404 where the user is not an active member.';

CREATE FUNCTION app.bind(bound_uid uuid, bound_organization uuid, bound_family uuid, at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  began timestamptz;
begin
  perform set_config('app.uid', bound_uid::text, true),
    set_config('app.organization_id', coalesce(bound_organization::text, ''), true);
  select coalesce(began_at, ends_at - interval '8760 hours') into began
  from app.refresh_token where uid = bound_uid and family = bound_family;
  if not found then
    raise exception 'that sign-in has ended' using errcode = 'BM401';
  end if;
  perform set_config('app.sign_in_age', coalesce(extract(epoch from at - began)::text, ''), true);
  if bound_organization is not null then
    perform app.require_recent_member(bound_organization);
  end if;
end
$$;

ALTER FUNCTION app.bind(bound_uid uuid, bound_organization uuid, bound_family uuid, at timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.bind(bound_uid uuid, bound_organization uuid, bound_family uuid, at timestamp with time zone) IS 'Raises BM401 where the sign-in has ended or never was, BM404 where the user is not an active member, and BM403 where the sign-in is older at that moment than the organization wants it.';

CREATE FUNCTION app.bind(bound_uid uuid, bound_organization uuid, token uuid, given bytea, scope text, at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  found_token record;
begin
  perform set_config('app.uid', bound_uid::text, true),
    set_config('app.organization_id', coalesce(bound_organization::text, ''), true);
  select t.scopes, coalesce(t.sign_in_began_at, t.created_at) as began_at into found_token from app.access_token t
  where t.uid = bound_uid and t.token_id = token and t.hash = given and t.expires_at > at;
  if not found then
    raise exception 'that token has ended' using errcode = 'BM401';
  end if;
  if scope <> all (found_token.scopes) then
    raise exception 'that token does not allow it' using errcode = 'BM403';
  end if;
  perform set_config('app.sign_in_age', extract(epoch from at - found_token.began_at)::text, true);
  if bound_organization is not null then
    perform app.require_recent_member(bound_organization);
  end if;
end
$$;

ALTER FUNCTION app.bind(bound_uid uuid, bound_organization uuid, token uuid, given bytea, scope text, at timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.bind(bound_uid uuid, bound_organization uuid, token uuid, given bytea, scope text, at timestamp with time zone) IS 'Raises BM401 where the token is over or never was, BM403 where it does not have the scope, or the sign-in by which it was made is older than the organization wants one, and BM404 where the user is not an active member.';

CREATE FUNCTION app.bind_organization(bound_organization uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform set_config('app.uid', '00000000-0000-0000-0000-000000000000', true),
    set_config('app.organization_id', bound_organization::text, true);
  perform from app.organization where organization_id = bound_organization for no key update;
  if not found then
    raise exception 'no such organization' using errcode = 'BM404';
  end if;
end
$$;

ALTER FUNCTION app.bind_organization(bound_organization uuid) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.bind_organization(bound_organization uuid) IS 'Binds the transaction to an organization and to nobody, and takes its turn. Raises BM404 where there is none.';

CREATE FUNCTION app.bind_organization(organization uuid, id uuid, given bytea, wanted text[], origin app.origin, source text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  key record;
  is_closed boolean;
begin
  -- As its own company would see it: whether it is open at all.
  perform set_config('app.uid', '00000000-0000-0000-0000-000000000000', true),
    set_config('app.organization_id', organization::text, true);
  select o.suspended_at is not null or o.deletion_due_at is not null into is_closed
  from app.organization o where o.organization_id = organization;
  perform set_config('app.uid', '', true), set_config('app.organization_id', '', true),
    set_config('app.key_organization_id', organization::text, true);
  select k.name, k.scopes, k.sources into key from app.organization_key k
  where k.organization_id = organization and k.key_id = id and k.hash = given
    and (k.expires_at is null or k.expires_at > origin.happened_at);
  if not found or is_closed then
    raise exception 'that key has ended' using errcode = 'BM401';
  end if;
  if cardinality(key.sources) > 0 and not source::inet <<= any (key.sources) then
    raise exception 'that key is not good from there' using errcode = 'BM401';
  end if;
  if not key.scopes && wanted then
    raise exception 'that key does not allow it' using errcode = 'BM403';
  end if;
  perform set_config('app.key_actor', 'key:' || id || ' ' || key.name, true),
    set_config('app.key_origin', origin::text, true);
end
$$;

ALTER FUNCTION app.bind_organization(organization uuid, id uuid, given bytea, wanted text[], origin app.origin, source text) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.bind_organization(organization uuid, id uuid, given bytea, wanted text[], origin app.origin, source text) IS 'Binds the transaction to an organization, and to no person. Raises BM401 where the key is over, never was, or comes from outside its networks, and where the organization is closed, and BM403 where it has none of the scopes.';

CREATE FUNCTION app.block_person(other uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
begin
  perform app.unfriend(other);
  if (select count(*) from app.block where uid = me and blocked_uid <> other) >= 1000 then
    raise exception 'no room for another block' using errcode = 'BM409', constraint = 'block_limit_reached';
  end if;
  insert into app.block (uid, blocked_uid) values (me, other) on conflict do nothing;
end
$$;

ALTER FUNCTION app.block_person(other uuid) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.block_person(other uuid) IS 'Ends what is between the two and hides each from the other. The same for who exists and who does not.';

CREATE FUNCTION app.cancel_deletion(of_organization uuid, origin app.origin) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform app.begin_change(of_organization, 'organization.delete');
  -- One that has begun goes on: part of the company is gone.
  delete from app.organization_deletion where organization_id = of_organization and begun_at is null;
  if not found then
    return false;
  end if;
  update app.organization set deletion_due_at = null where organization_id = of_organization;
  perform app.record_organization_event(of_organization, 'organization.deletion-cancelled', 'organization', null, null, origin);
  perform app.greet_directory(of_organization);
  return true;
end
$$;

ALTER FUNCTION app.cancel_deletion(of_organization uuid, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.cancel_deletion(of_organization uuid, origin app.origin) IS 'Opens the company again: whether there was a deletion that had not begun. Errors as app.require_permission.';

CREATE FUNCTION app.change_organization(of_organization uuid, changes jsonb, origin app.origin) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  old app.organization;
  changed app.organization;
begin
  perform app.begin_change(of_organization, 'settings.change');
  select * into old from app.organization where organization_id = of_organization;
  update app.organization set
    name = coalesce(changes ->> 'name', name),
    leaderboard_enabled = coalesce((changes #>> '{leaderboard,enabled}')::boolean, leaderboard_enabled),
    show_real_names = coalesce((changes #>> '{leaderboard,showRealNames}')::boolean, show_real_names),
    domain_restricted = coalesce((changes ->> 'domainRestricted')::boolean, domain_restricted),
    automatic_joining = coalesce((changes ->> 'automaticJoining')::boolean, automatic_joining),
    who_may_invite = coalesce(changes ->> 'whoMayInvite', who_may_invite),
    audit_retention_days = case when changes ? 'auditRetentionDays' then (changes ->> 'auditRetentionDays')::integer
      else audit_retention_days end,
    max_sign_in_age_hours = case when changes ? 'maxSignInAgeHours' then (changes ->> 'maxSignInAgeHours')::integer
      else max_sign_in_age_hours end
  where organization_id = of_organization
  returning * into changed;
  if old is distinct from changed then
    perform app.record_organization_event(of_organization, 'settings.changed', 'organization',
      app.organization_settings(old), app.organization_settings(changed), origin);
  end if;
end
$$;

ALTER FUNCTION app.change_organization(of_organization uuid, changes jsonb, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.change_organization(of_organization uuid, changes jsonb, origin app.origin) IS 'Changes the settings that are there, by the names of app.organization_settings. Errors as app.require_permission.';

CREATE FUNCTION app.change_role(of_organization uuid, who uuid, given text, origin app.origin) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
  old text;
begin
  perform app.begin_change(of_organization, 'roles.change');
  old := app.role_in(of_organization, who);
  if old is null then
    raise exception 'no such member' using errcode = 'BM404';
  end if;
  if given not in ('admin', 'analyst', 'member') then
    -- An owner is one who said yes: app.accept_ownership.
    raise exception 'not a role to be given' using errcode = 'BM422', constraint = 'role_invalid';
  end if;
  if old = given then
    return;
  end if;
  perform app.require_owner_may_go(of_organization, who, old);
  -- In the name of the one whom it is about, under the policy that holds them.
  perform set_config('app.uid', who::text, true);
  update app.member set role = given where organization_id = of_organization and uid = who;
  perform set_config('app.uid', me::text, true);
  -- Who is no owner any more has nothing to hand over.
  delete from app.ownership_offer where organization_id = of_organization and offered_by = who;
  perform app.record_organization_event(of_organization, 'member.role-changed', 'user:' || who,
    jsonb_build_object('role', old), jsonb_build_object('role', given), origin);
end
$$;

ALTER FUNCTION app.change_role(of_organization uuid, who uuid, given text, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.change_role(of_organization uuid, who uuid, given text, origin app.origin) IS 'Makes a member an admin, an analyst or a plain member. BM409 for the last owner; other errors as app.require_permission.';

CREATE FUNCTION app.change_team_member(of_organization uuid, id uuid, who uuid, belongs boolean, origin app.origin) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform app.begin_change(of_organization, 'teams.manage');
  if not exists (select from app.team where organization_id = of_organization and team_id = id) then
    raise exception 'no such team' using errcode = 'BM404';
  end if;
  if belongs then
    -- Whom an admin may not list yet, they put into no team.
    if not exists (select from board.member where organization_id = of_organization and uid = who) then
      raise exception 'no such member' using errcode = 'BM404';
    end if;
    insert into app.team_member (organization_id, team_id, uid) values (of_organization, id, who) on conflict do nothing;
  else
    delete from app.team_member where organization_id = of_organization and team_id = id and uid = who;
  end if;
  if found then
    perform app.record_organization_event(of_organization, case when belongs then 'team.member-added' else 'team.member-removed' end,
      'user:' || who, case when not belongs then jsonb_build_object('team', id) end,
      case when belongs then jsonb_build_object('team', id) end, origin);
  end if;
end
$$;

ALTER FUNCTION app.change_team_member(of_organization uuid, id uuid, who uuid, belongs boolean, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.change_team_member(of_organization uuid, id uuid, who uuid, belongs boolean, origin app.origin) IS 'Puts a member into a team, or takes them out. BM404 where there is no such team or member; other errors as app.require_permission.';

CREATE FUNCTION app.changed_group_members(of_group uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  with noted as (
    select change ->> 1 as member, change ->> 2 as done, place
    from jsonb_array_elements(nullif(current_setting('app.group_members_changed', true), '')::jsonb) with ordinality as c (change, place)
    where change ->> 0 = of_group::text
  ), changed as (
    -- Who came and went again, or the other way round, is where they were.
    select member, (array_agg(done order by place))[1] as first, (array_agg(done order by place desc))[1] as last
    from noted group by member
  ), told as (
    select case last when 'INSERT' then 'added' else 'removed' end as way,
      jsonb_build_object('count', count(*), 'users', to_jsonb((array_agg(member order by member))[1:50])) as whom
    from changed where first = last group by last
  )
  select jsonb_object_agg(way, whom) from told;
$$;

ALTER FUNCTION app.changed_group_members(of_group uuid) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.changed_group_members(of_group uuid) IS 'Who came into a team of a directory and who went, in this transaction: how many, and fifty of them by their ids there. Null where nobody did.';

CREATE FUNCTION app.circle() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (
    select array_agg(uid) || (select app.uid())
    from (
      select friend_uid as uid from app.friendship
      where uid = (select app.uid()) and accepted_at is not null
      union all
      select uid from app.friendship
      where friend_uid = (select app.uid()) and accepted_at is not null
    ) as friend
  );
end
$$;

ALTER FUNCTION app.circle() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.circle() IS 'The bound user and their friends: whom a friends board may speak of.';

CREATE FUNCTION app.claim_domain(of_organization uuid, wanted text, new_token text, origin app.origin) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform app.begin_change(of_organization, 'domains.manage');
  if exists (select from app.domain_claim where organization_id = of_organization and domain = wanted) then
    return;
  end if;
  if (select count(*) from app.domain_claim where organization_id = of_organization) >= 50 then
    raise exception 'no room for another domain' using errcode = 'BM409', constraint = 'domain_limit_reached';
  end if;
  insert into app.domain_claim (organization_id, domain, token, claimed_at)
  values (of_organization, wanted, new_token, origin.happened_at);
  perform app.record_organization_event(of_organization, 'domain.claimed', 'domain:' || wanted, null, null, origin);
end
$$;

ALTER FUNCTION app.claim_domain(of_organization uuid, wanted text, new_token text, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.claim_domain(of_organization uuid, wanted text, new_token text, origin app.origin) IS 'Says what the domain''s record has to say. It answers the same whoever holds the domain; one that is claimed already keeps its token. BM409 with fifty.';

CREATE FUNCTION app.close_seasons(weeks text[], at timestamp with time zone) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  week text;
  early constant text[] := array(
    select given from unnest(weeks) as given
    where (to_date(given, 'IYYY-"W"IW') + 7 + time '18:00') at time zone 'UTC' + interval '72 hours' > at
  );
begin
  if early <> '{}' then
    raise exception 'not over yet, and 72 hours later: %', array_to_string(early, ', ')
      using errcode = 'invalid_parameter_value';
  end if;
  if exists (select unnest(weeks) except select period from app.season) then
    -- Waits for the syncs that are under way, and the next ones wait for this.
    perform pg_advisory_xact_lock(hashtextextended('app.season', 0));
    -- Whether a board is on, of every company.
    perform set_config('app.tending', 'infinity', true);
    for week in
      insert into app.season (period, closed_at)
      select distinct unnest(weeks), at
      on conflict do nothing
      returning period
    loop
      perform set_config('app.closing_season', week, true);
      -- The first by an index, and then the next: most weeks have none, and one may have a million.
      insert into app.global_season (period, metric)
      select week, unnest(array['weekly_xp', 'weekly_streak'])
      where (
        select uid from app.global_standing where period = week order by weekly_xp desc, weekly_xp_at, uid limit 1
      ) is not null;
      with recursive company as (
        (select organization_id from app.company_standing where period = week order by organization_id limit 1)
        union all
        select (
          select s.organization_id from app.company_standing s
          where s.period = week and s.organization_id > company.organization_id
          order by s.organization_id limit 1
        )
        from company
        where organization_id is not null
      )
      insert into app.company_season (organization_id, period, metric)
      select organization_id, week, metric
      from company
        join app.organization o using (organization_id)
        cross join unnest(array['weekly_minutes', 'weekly_consistency', 'team_challenge_participation']) as metric
      where o.leaderboard_enabled;
      update app.season set finalised_at = at
      where period = week
        and not exists (select from app.global_season where period = week)
        and not exists (select from app.company_season where period = week);
    end loop;
    perform set_config('app.closing_season', '', true), set_config('app.tending', '', true);
  end if;
  return query select period from app.season where period = any (weeks) and finalised_at is null order by period;
end
$$;

ALTER FUNCTION app.close_seasons(weeks text[], at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.close_seasons(weeks text[], at timestamp with time zone) IS 'Answers those of the weeks that are still to be finalised. Raises 22023, and closes none, where one of them may not be closed yet.';

CREATE FUNCTION app.closing_season() RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  closing constant text := current_setting('app.closing_season', true);
begin
  if closing is null or closing = '' then
    raise exception 'no season is being closed in this transaction' using errcode = 'insufficient_privilege';
  end if;
  return closing;
end
$$;

ALTER FUNCTION app.closing_season() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.closing_season() IS 'The week that the job is at, which is all that its policies let it see. Raises 42501 when there is none.';

CREATE FUNCTION app.company_guests() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
  company constant uuid := app.organization_id();
  domains text[];
  guests uuid[];
begin
  perform set_config('app.key_organization_id', coalesce(company::text, ''), true);
  guests := array(
    select m.uid from app.member m
    where m.organization_id = company and m.domain is null and m.directory_user_id is null and m.shown_domain is null
  );
  -- Mostly there is nobody to be asked about.
  if guests <> '{}' then
    domains := app.restricting_domains();
    guests := array(
      select g.uid from unnest(guests) as g (uid)
      where domains <> '{}' and not exists (select from app.email_claim e where e.uid = g.uid and e.domain = any (domains))
    );
  end if;
  perform set_config('app.key_organization_id', outer_organization, true);
  return guests;
end
$$;

ALTER FUNCTION app.company_guests() OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.company_guests() IS 'Those members of the bound organization who are on none of its boards and have none: it has a proved domain and restricts itself to that, and neither a domain nor its directory has brought them, nor do they show an address in one.';

CREATE FUNCTION app.company_shows_real_names() RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return exists (
    select from app.organization where organization_id = (select app.organization_id()) and show_real_names
  );
end
$$;

ALTER FUNCTION app.company_shows_real_names() OWNER TO breathmaster_owner;

CREATE FUNCTION app.confirm_account_merge(stays uuid, at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  update app.account_merge set confirmed_at = at
  where uid = (select app.uid()) and into_uid = stays and good_until > at;
  return found;
end
$$;

ALTER FUNCTION app.confirm_account_merge(stays uuid, at timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.confirm_account_merge(stays uuid, at timestamp with time zone) IS 'The bound user''s account ends in that one. False where that one has not agreed, or no longer.';

CREATE FUNCTION app.create_organization(called text, held_domain text, owner_uid uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  created constant uuid := gen_random_uuid();
begin
  perform app.bind(owner_uid);
  perform set_config('app.organization_id', created::text, true);
  insert into app.organization (organization_id, name, automatic_joining) values (created, called, true);
  insert into app.domain_claim (organization_id, domain, proved_at) values (created, lower(held_domain), now());
  insert into app.member (organization_id, uid, role) values (created, owner_uid, 'owner');
  perform app.record_organization_event(created, 'organization.created', 'organization', null,
    jsonb_build_object('name', called, 'domain', lower(held_domain), 'owner', 'user:' || owner_uid),
    row(gen_random_uuid(), 'console', now())::app.origin, 'operator');
  return created;
end
$$;

ALTER FUNCTION app.create_organization(called text, held_domain text, owner_uid uuid) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.create_organization(called text, held_domain text, owner_uid uuid) IS 'A company with one domain that the operator vouches for, and its first owner.';

CREATE FUNCTION app.create_team(of_organization uuid, id uuid, called text, origin app.origin) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform app.begin_change(of_organization, 'teams.manage');
  if (select count(*) from app.team where organization_id = of_organization) >= 500 then
    raise exception 'no room for another team' using errcode = 'BM409', constraint = 'team_limit_reached';
  end if;
  insert into app.team (organization_id, team_id, name, created_at) values (of_organization, id, called, origin.happened_at);
  perform app.record_organization_event(of_organization, 'team.created', 'team:' || id, null,
    jsonb_build_object('name', called), origin);
end
$$;

ALTER FUNCTION app.create_team(of_organization uuid, id uuid, called text, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.create_team(of_organization uuid, id uuid, called text, origin app.origin) IS 'BM409 with 500; other errors as app.require_permission.';

CREATE FUNCTION app.dead_mail(at timestamp with time zone) RETURNS TABLE(message_id uuid, uid uuid, kind text, recipient text, written_at timestamp with time zone, good_until timestamp with time zone, attempts integer, dead_at timestamp with time zone, dead_of text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform set_config('app.delivering', at::text, true);
  return query
    select o.message_id, o.uid, o.kind, o.recipient, o.written_at, o.good_until, o.attempts, o.dead_at, o.dead_of
    from app.outbox o where o.dead_at is not null order by o.dead_at, o.message_id;
  perform set_config('app.delivering', '', true);
end
$$;

ALTER FUNCTION app.dead_mail(at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.dead_mail(at timestamp with time zone) IS 'Messages that were given up, the oldest first: for whom, and why, and not what is in them. For the operator.';

CREATE FUNCTION app.delete_account(origin app.origin) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  me constant uuid := app.uid();
  company record;
  part record;
  counts jsonb := '{}';
  found_rows bigint;
begin
  -- Whoever syncs in this moment has done so before, or finds nobody; locked in the order of a sync.
  perform from app.game_state where uid = me for update;
  perform from app.user where uid = me for update;
  for part in
    select * from (values
      ('sessions', 'session'), ('days', 'practice_day'), ('challenges', 'daily_challenge'), ('devices', 'device'),
      ('batches', 'sync_batch'), ('settings', 'state_entry'), ('appeals', 'session_appeal'), ('standings', 'standing'),
      ('emails', 'email_claim'), ('messages', 'outbox'), ('blocks', 'block'), ('tokens', 'access_token'),
      ('signIns', 'refresh_token'), ('auditEvents', 'audit_event'), ('memberships', 'member')
    ) as parts (name, relation)
  loop
    execute format('select count(*) from app.%I where uid = $1', part.relation) using me into found_rows;
    counts := counts || jsonb_build_object(part.name, found_rows);
  end loop;
  select count(*) into found_rows from app.friendship f where me in (f.uid, f.friend_uid);
  counts := counts || jsonb_build_object('friendships', found_rows);

  for company in select m.organization_id, m.role from app.member m where m.uid = me order by m.organization_id loop
    perform set_config('app.organization_id', company.organization_id::text, true);
    perform from app.organization o where o.organization_id = company.organization_id for no key update;
    if company.role <> 'owner' or app.has_other_owner(company.organization_id, me) then
      perform app.end_membership(company.organization_id, me, origin);
      continue;
    end if;
    -- Nobody is left to answer for it, so it has to end; unless somebody is left in it.
    if app.has_only_owner(company.organization_id, me) and exists (
      select from app.organization o where o.organization_id = company.organization_id and o.deletion_due_at is null
    ) then
      raise exception 'the last owner' using errcode = 'BM409', constraint = 'last_owner';
    end if;
    perform app.begin_deletion(company.organization_id, origin, null);
    delete from app.member m where m.organization_id = company.organization_id and m.uid = me;
    perform app.record_organization_event(company.organization_id, 'member.left', 'user:' || me,
      jsonb_build_object('role', company.role), null, origin);
  end loop;
  perform set_config('app.organization_id', '', true);

  perform app.forget_password_resets(array(select e.address from app.email_claim e where e.uid = me));
  -- Everything else hangs on this row, and what boards counted goes by their triggers.
  delete from app.user where uid = me;
  return counts;
end
$_$;

ALTER FUNCTION app.delete_account(origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.delete_account(origin app.origin) IS 'Deletes the bound user and everything of theirs, in this transaction: how much of what there was. A company that nobody else is in ends as app.ask_deletion says. BM409 for the last owner of one that has other members.';

CREATE FUNCTION app.delete_organizations(at timestamp with time zone, most integer, OUT removed integer, OUT finished uuid) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  due uuid;
  part text;
  key text;
begin
  removed := 0;
  perform set_config('app.tending', at::text, true), set_config('app.closing_season', 'none', true);
  select o.organization_id into due from app.organization o
  where o.deletion_due_at <= at order by o.deletion_due_at, o.organization_id limit 1;
  if due is null then
    perform set_config('app.tending', '', true), set_config('app.closing_season', '', true);
    return;
  end if;
  perform set_config('app.uid', '00000000-0000-0000-0000-000000000000', true),
    set_config('app.organization_id', due::text, true);
  update app.organization_deletion d set begun_at = coalesce(d.begun_at, at) where d.organization_id = due;
  -- Two servers take turns, and nobody cancels in between.
  perform from app.organization_deletion d where d.organization_id = due for update;
  for part, key in values
    ('company_season_rank', 'uid'), ('company_standing', 'uid'), ('invitation', 'invitation_id'),
    ('team_member', 'team_id, uid'), ('team', 'team_id'),
    ('directory_group_member', 'directory_group_id, directory_user_id'), ('directory_group', 'directory_group_id'),
    ('member', 'uid'), ('directory_user', 'directory_user_id'), ('directory_tally', 'shard'), ('directory_leaver', 'digest'),
    ('organization_key', 'key_id'), ('domain_claim', 'domain'), ('organization_event', 'number')
  loop
    execute format('delete from app.%1$I where organization_id = $1 and (%2$s) in
      (select %2$s from app.%1$I where organization_id = $1 limit $2)', part, key) using due, most;
    get diagnostics removed = row_count;
    if removed > 0 then
      update app.organization_deletion d
      set counts = d.counts || jsonb_build_object(part, coalesce((d.counts ->> part)::bigint, 0) + removed)
      where d.organization_id = due;
      perform set_config('app.tending', '', true), set_config('app.closing_season', '', true), set_config('app.uid', '', true), set_config('app.organization_id', '', true);
      return;
    end if;
  end loop;
  delete from app.organization where organization_id = due;
  get diagnostics removed = row_count;
  update app.organization_deletion d set finished_at = at, counts = d.counts || jsonb_build_object('organization', removed)
  where d.organization_id = due;
  finished := due;
  perform set_config('app.tending', '', true), set_config('app.closing_season', '', true), set_config('app.uid', '', true), set_config('app.organization_id', '', true);
end
$_$;

ALTER FUNCTION app.delete_organizations(at timestamp with time zone, most integer, OUT removed integer, OUT finished uuid) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.delete_organizations(at timestamp with time zone, most integer, OUT removed integer, OUT finished uuid) IS 'One step of deleting the company whose time has come first: how many rows went, and its id where that was the last of it. Nothing went where none is due.';

CREATE FUNCTION app.delete_team(of_organization uuid, id uuid, origin app.origin) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  old text;
begin
  perform app.begin_change(of_organization, 'teams.manage');
  delete from app.team where organization_id = of_organization and team_id = id returning name into old;
  if old is null then
    return false;
  end if;
  perform app.record_organization_event(of_organization, 'team.deleted', 'team:' || id, jsonb_build_object('name', old), null, origin);
  return true;
end
$$;

ALTER FUNCTION app.delete_team(of_organization uuid, id uuid, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.delete_team(of_organization uuid, id uuid, origin app.origin) IS 'Whether there was one; its members stay who they are. Errors as app.require_permission.';

CREATE FUNCTION app.deletion_receipt(of_organization uuid) RETURNS TABLE(asked_at timestamp with time zone, begun_at timestamp with time zone, finished_at timestamp with time zone, counts text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform set_config('app.uid', '00000000-0000-0000-0000-000000000000', true),
    set_config('app.organization_id', of_organization::text, true);
  return query select d.asked_at, d.begun_at, d.finished_at, d.counts::text
    from app.organization_deletion d where d.organization_id = of_organization;
end
$$;

ALTER FUNCTION app.deletion_receipt(of_organization uuid) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.deletion_receipt(of_organization uuid) IS 'What was deleted of a company, for the operator; no row where nothing was asked.';

CREATE FUNCTION app.delivering() RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  moment constant text := current_setting('app.delivering', true);
begin
  if moment is null or moment = '' then
    raise exception 'no mail is being delivered in this transaction' using errcode = 'insufficient_privilege';
  end if;
  return moment::timestamptz;
end
$$;

ALTER FUNCTION app.delivering() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.delivering() IS 'The moment at which the job delivers: its policies let it see what was written by then. Raises 42501 when there is none.';

CREATE FUNCTION app.device_request_by_code(digest bytea, at timestamp with time zone, OUT id uuid, OUT called text, OUT from_source text, OUT since timestamp with time zone) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform set_config('app.delivering', at::text, true);
  select request_id, device_name, source, asked_at into id, called, from_source, since
  from app.device_request where code_digest = digest and good_until > at and state = 'waiting';
  perform set_config('app.delivering', '', true);
end
$$;

ALTER FUNCTION app.device_request_by_code(digest bytea, at timestamp with time zone, OUT id uuid, OUT called text, OUT from_source text, OUT since timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.device_request_by_code(digest bytea, at timestamp with time zone, OUT id uuid, OUT called text, OUT from_source text, OUT since timestamp with time zone) IS 'The device that shows a code and waits; nulls where there is none.';

CREATE FUNCTION app.directory_address(user_name text, emails jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION app.directory_address(user_name text, emails jsonb) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.directory_address(user_name text, emails jsonb) IS 'What somebody is known by here: the primary address, or else that of work, the first, or the name they sign in with.';

CREATE TABLE app.directory_user (
    organization_id uuid NOT NULL,
    directory_user_id uuid NOT NULL,
    user_name text NOT NULL,
    user_key text GENERATED ALWAYS AS (lower(user_name)) STORED NOT NULL,
    external_id text,
    display_name text,
    formatted_name text,
    family_name text,
    given_name text,
    emails jsonb DEFAULT '[]'::jsonb NOT NULL,
    address text GENERATED ALWAYS AS (app.directory_address(user_name, emails)) STORED,
    active boolean,
    declined boolean DEFAULT false NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT directory_user_display_name_check CHECK ((char_length(display_name) <= 1024)),
    CONSTRAINT directory_user_emails_check CHECK (((jsonb_typeof(emails) = 'array'::text) AND (octet_length((emails)::text) <= 65536))),
    CONSTRAINT directory_user_external_id_check CHECK ((char_length(external_id) <= 1024)),
    CONSTRAINT directory_user_family_name_check CHECK ((char_length(family_name) <= 1024)),
    CONSTRAINT directory_user_formatted_name_check CHECK ((char_length(formatted_name) <= 1024)),
    CONSTRAINT directory_user_given_name_check CHECK ((char_length(given_name) <= 1024)),
    CONSTRAINT directory_user_user_name_check CHECK (((char_length(user_name) >= 1) AND (char_length(user_name) <= 1024)))
);

ALTER TABLE ONLY app.directory_user FORCE ROW LEVEL SECURITY;

ALTER TABLE app.directory_user OWNER TO breathmaster_owner;

COMMENT ON TABLE app.directory_user IS 'Somebody in a company''s directory. The company''s word about its own; no account, and no practice.';

COMMENT ON COLUMN app.directory_user.user_key IS 'In lower case, as a column: the index of an expression is not used below a policy, since lower() might tell of rows that it hides.';

COMMENT ON COLUMN app.directory_user.active IS 'As the directory says. Only true makes a membership.';

COMMENT ON COLUMN app.directory_user.declined IS 'The person has left the company here. The directory doesn''t bring them back; they themselves may come.';

CREATE FUNCTION app.directory_entry(entry app.directory_user) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select jsonb_strip_nulls(jsonb_build_object(
    'userName', left(entry.user_name, 120), 'externalId', left(entry.external_id, 120),
    'displayName', left(entry.display_name, 120), 'formattedName', left(entry.formatted_name, 120),
    'familyName', left(entry.family_name, 120), 'givenName', left(entry.given_name, 120),
    'emails', (
      select jsonb_agg(left(email ->> 'value', 120) order by place)
      from jsonb_array_elements(entry.emails) with ordinality as given (email, place) where place <= 5
    ),
    'active', entry.active));
$$;

ALTER FUNCTION app.directory_entry(entry app.directory_user) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.directory_entry(entry app.directory_user) IS 'What the directory says of somebody, as the record has it: the beginning of each text, and five addresses.';

CREATE FUNCTION app.domains_to_check(at timestamp with time zone, most integer) RETURNS TABLE(organization_id uuid, domain text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform set_config('app.tending', at::text, true);
  delete from app.domain_claim c where c.proved_at is null and c.claimed_at <= at - interval '30 days';
  return query
    update app.domain_claim c
    set due_at = at + interval '15 minutes'
    from (
      select d.organization_id, d.domain from app.domain_claim d
      where d.due_at <= at
      order by d.due_at
      limit most
      for update skip locked
    ) as due
    where c.organization_id = due.organization_id and c.domain = due.domain
    returning c.organization_id, c.domain;
  perform set_config('app.tending', '', true);
end
$$;

ALTER FUNCTION app.domains_to_check(at timestamp with time zone, most integer) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.domains_to_check(at timestamp with time zone, most integer) IS 'Proved domains whose record is to be looked for, which nobody else is given for a quarter of an hour. Claims that were not proved for thirty days are gone.';

CREATE FUNCTION app.end_membership(of_organization uuid, who uuid, origin app.origin) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
  old text;
begin
  if who = me then
    -- No permission is needed to leave, and none is left to have afterwards.
    perform set_config('app.organization_id', of_organization::text, true);
    perform from app.organization where organization_id = of_organization
      and of_organization = any (app.own_organization_ids()) for no key update;
    select role into old from app.member where organization_id = of_organization and uid = me;
    if old is null then
      return false;
    end if;
  else
    perform app.begin_change(of_organization, 'members.remove');
    old := app.role_in(of_organization, who);
    if old is null then
      return false;
    end if;
  end if;
  perform app.require_owner_may_go(of_organization, who, old);
  perform set_config('app.uid', who::text, true);
  delete from app.member where organization_id = of_organization and uid = who;
  perform set_config('app.uid', me::text, true);
  perform app.record_organization_event(of_organization, case when who = me then 'member.left' else 'member.removed' end,
    'user:' || who, jsonb_build_object('role', old), null, origin);
  return true;
end
$$;

ALTER FUNCTION app.end_membership(of_organization uuid, who uuid, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.end_membership(of_organization uuid, who uuid, origin app.origin) IS 'Leaving, and being removed: whether there was a membership to end. Every board of the company is without that person in the same transaction. BM409 for the last owner; other errors as app.require_permission.';

CREATE FUNCTION app.end_memberships_by(of_organization uuid, held_domain text, at timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  ended integer;
begin
  perform set_config('app.tending', at::text, true);
  -- An owner stays: somebody has to be there to prove it again.
  update app.member set domain = null
  where organization_id = of_organization and domain = held_domain and role = 'owner';
  -- Not by the people themselves: the directory brings them back with the domain.
  perform set_config('app.key_organization_id', of_organization::text, true);
  delete from app.member where organization_id = of_organization and domain = held_domain;
  get diagnostics ended = row_count;
  perform set_config('app.key_organization_id', '', true), set_config('app.tending', '', true);
  return ended;
end
$$;

ALTER FUNCTION app.end_memberships_by(of_organization uuid, held_domain text, at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.end_memberships_by(of_organization uuid, held_domain text, at timestamp with time zone) IS 'Ends the memberships of the bound organization that hang on a domain: how many. An owner''s no longer hangs on it.';

CREATE FUNCTION app.enter_account_that_goes(digest bytea, at timestamp with time zone) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  entered constant uuid := app.account_that_goes(digest, app.uid(), at);
begin
  perform set_config('app.uid', coalesce(entered::text, ''), true);
  return entered;
end
$$;

ALTER FUNCTION app.enter_account_that_goes(digest bytea, at timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.enter_account_that_goes(digest bytea, at timestamp with time zone) IS 'The user to whom the transaction is bound from now on, who gave the code to the one who was bound; null, and nobody, where it is nobody else''s.';

CREATE FUNCTION app.enter_account_that_stays(at timestamp with time zone) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  entered uuid;
begin
  select into_uid into entered from app.account_merge where uid = (select app.uid()) and good_until > at;
  perform set_config('app.uid', coalesce(entered::text, ''), true);
  return entered;
end
$$;

ALTER FUNCTION app.enter_account_that_stays(at timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.enter_account_that_stays(at timestamp with time zone) IS 'The user to whom the transaction is bound from now on, who has agreed to take over what the one who was bound has; null, and nobody, where nobody has.';

CREATE FUNCTION app.enter_by_device_request(id uuid, shown bytea, at timestamp with time zone, OUT outcome text, OUT entered uuid) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  select s.outcome, s.approver into outcome, entered from app.spend_device_request(id, shown, at) as s;
  perform set_config('app.uid', coalesce(entered::text, ''), true);
end
$$;

ALTER FUNCTION app.enter_by_device_request(id uuid, shown bytea, at timestamp with time zone, OUT outcome text, OUT entered uuid) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.enter_by_device_request(id uuid, shown bytea, at timestamp with time zone, OUT outcome text, OUT entered uuid) IS 'What has come of a device''s wish; where somebody said yes, the user to whom the transaction is bound from now on.';

CREATE FUNCTION app.enter_by_identity(of_issuer text, of_subject text, shown_address text, vouched_address text, nonce bytea, at timestamp with time zone, until timestamp with time zone, OUT outcome text, OUT entered uuid) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION app.enter_by_identity(of_issuer text, of_subject text, shown_address text, vouched_address text, nonce bytea, at timestamp with time zone, until timestamp with time zone, OUT outcome text, OUT entered uuid) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.enter_by_identity(of_issuer text, of_subject text, shown_address text, vouched_address text, nonce bytea, at timestamp with time zone, until timestamp with time zone, OUT outcome text, OUT entered uuid) IS 'The user to whom the transaction is bound from now on, made where the identity is nobody''s. Nobody where the nonce was spent before, and where the address that the provider vouches for is an account''s already: whoever has that account says in it that both are theirs.';

CREATE FUNCTION app.enter_by_password_reset(id uuid, shown_digest bytea, at timestamp with time zone) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  address constant text := app.spend_password_reset(id, shown_digest, at);
  entered uuid;
begin
  if address is not null then
    entered := app.uid_by_email(address);
  end if;
  perform set_config('app.uid', coalesce(entered::text, ''), true);
  return entered;
end
$$;

ALTER FUNCTION app.enter_by_password_reset(id uuid, shown_digest bytea, at timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.enter_by_password_reset(id uuid, shown_digest bytea, at timestamp with time zone) IS 'The user to whom the transaction is bound from now on; null, and nobody, where the code is not good.';

CREATE FUNCTION app.enter_by_recovery_code(of_uid uuid, shown bytea, next bytea, at timestamp with time zone) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  entered uuid;
begin
  perform set_config('app.uid', of_uid::text, true);
  update app.recovery_code set (hash, previous_hash, made_at) = (next, shown, at)
  where uid = (select app.uid()) and shown in (hash, previous_hash)
  returning uid into entered;
  perform set_config('app.uid', coalesce(entered::text, ''), true);
  return entered;
end
$$;

ALTER FUNCTION app.enter_by_recovery_code(of_uid uuid, shown bytea, next bytea, at timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.enter_by_recovery_code(of_uid uuid, shown bytea, next bytea, at timestamp with time zone) IS 'The user to whom the transaction is bound from now on, whose next code it is; null, and nobody, where the code shown is not good.';

CREATE TABLE app.state_entry (
    uid uuid NOT NULL,
    field text NOT NULL,
    key text NOT NULL,
    value jsonb,
    written_at timestamp with time zone NOT NULL,
    labelled_at timestamp with time zone NOT NULL,
    device_id text NOT NULL,
    sync_version bigint NOT NULL,
    CONSTRAINT state_entry_field_check CHECK (((char_length(field) >= 1) AND (char_length(field) <= 64))),
    CONSTRAINT state_entry_key_check CHECK (((char_length(key) >= 1) AND (char_length(key) <= 64)))
);

ALTER TABLE ONLY app.state_entry FORCE ROW LEVEL SECURITY;

ALTER TABLE app.state_entry OWNER TO breathmaster_owner;

COMMENT ON TABLE app.state_entry IS 'What a person keeps here beside practice: unlocks, presets, preferences, entry by entry.';

COMMENT ON COLUMN app.state_entry.value IS 'Null is a tombstone: removed, and an older write doesn''t bring it back.';

COMMENT ON COLUMN app.state_entry.written_at IS 'By a hybrid clock: after what the writer had seen, not after it arrived. The later write stands.';

COMMENT ON COLUMN app.state_entry.labelled_at IS 'What the device''s clock showed: it orders the writes of one device.';

CREATE FUNCTION app.favorite_patterns(person uuid) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    RETURN ARRAY(SELECT (state_entry.value #>> '{}'::text[]) AS pattern FROM app.state_entry WHERE ((state_entry.uid = favorite_patterns.person) AND (state_entry.field = 'preferredPatterns'::text) AND CASE WHEN (pg_column_size(state_entry.value) <= 100) THEN ((jsonb_typeof(state_entry.value) = 'string'::text) AND ((state_entry.value #>> '{}'::text[]) ~ '^[a-z0-9][a-z0-9_-]{0,63}$'::text)) ELSE NULL::boolean END) GROUP BY (state_entry.value #>> '{}'::text[]) ORDER BY (count(*)) DESC, (state_entry.value #>> '{}'::text[]) LIMIT 3);

ALTER FUNCTION app.favorite_patterns(person uuid) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.favorite_patterns(person uuid) IS 'The three patterns that somebody has set for most times of their day, as far as the bound user may read it.';

CREATE FUNCTION app.finalise_board(week text, organization uuid, measure text, most integer, at timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  kind constant text := case when organization is null then 'global' else 'company' end;
  number constant text := case when organization is null then 'integer' else 'double precision' end;
  owned constant text := case when organization is null then '' else 'organization_id = $1 and ' end;
  named constant text := case when organization is null then 'alias, null::text as real_name' else 'null::uuid as alias, real_name' end;
  board record;
  reached record;
  written integer := 0;
begin
  execute format(
    'select people, last_rank, last_value::float8, last_at, digest from app.%I where %s period = $2 and metric = $3',
    kind || '_season', owned) into board using organization, week, measure;
  -- Who share a place are written in one step, however many they are: in the next, nobody could tell who was.
  for reached in execute format(
    'select * from (
       select uid, display_name, avatar_url, %6$s, %1$I::float8 as value, %2$I as achieved_at
       from app.%3$I
       where %4$s period = $2 and %1$I > 0
         and ($4 is null or %1$I <= $4::%5$s and (%1$I < $4::%5$s or %2$I > $5))
       order by %1$I desc, %2$I
       fetch first $6 rows with ties
     ) as next
     order by value desc, achieved_at, uid',
    measure, measure || '_at', kind || '_standing', owned, number, named)
    using organization, week, measure, board.last_value, board.last_at, most
  loop
    board.people := board.people + 1;
    board.last_rank := case when reached.value = board.last_value then board.last_rank else board.people end;
    board.last_value := reached.value;
    board.last_at := reached.achieved_at;
    board.digest := sha256(
      board.digest || convert_to(
        format('%s,%s,%s;', board.last_rank, coalesce(reached.alias, reached.uid), reached.value), 'UTF8'));
    if organization is null then
      insert into app.global_season_rank (uid, period, metric, "position", rank, value, achieved_at, entry_id, alias,
        display_name, avatar_url)
      values (reached.uid, week, measure, board.people, board.last_rank, reached.value, reached.achieved_at,
        coalesce(reached.alias, reached.uid), reached.alias, reached.display_name, reached.avatar_url);
    else
      insert into app.company_season_rank (organization_id, uid, period, metric, "position", rank, value, achieved_at,
        display_name, avatar_url, real_name)
      values (organization, reached.uid, week, measure, board.people, board.last_rank, reached.value, reached.achieved_at,
        reached.display_name, reached.avatar_url, reached.real_name);
    end if;
    written := written + 1;
  end loop;
  execute format(
    'update app.%I set (people, last_rank, last_value, last_at, digest, finalised_at) = ($4, $5, $6, $7, $8, $9)
     where %s period = $2 and metric = $3', kind || '_season', owned)
    using organization, week, measure, board.people, board.last_rank, board.last_value, board.last_at, board.digest,
      case when written < most then at end;
  return written;
end
$_$;

ALTER FUNCTION app.finalise_board(week text, organization uuid, measure text, most integer, at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.finalise_board(week text, organization uuid, measure text, most integer, at timestamp with time zone) IS 'How many ranks it wrote; fewer than asked for where the board is finalised with them.';

CREATE FUNCTION app.finalise_season(week text, most integer, at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  board record;
  left_over boolean := true;
begin
  -- One at a time, whichever server asks.
  if not pg_try_advisory_xact_lock(hashtextextended('app.season ' || week, 0))
    or not exists (select from app.season where period = week and finalised_at is null)
  then
    return false;
  end if;
  -- Who changes their mind has done so before this looks, or finds what it wrote.
  perform pg_advisory_xact_lock(hashtextextended('app.season history', 0));
  perform set_config('app.closing_season', week, true);
  -- Who ends an account has locked it, and waits for the ranks of its memberships: this gives way before they deadlock.
  perform set_config('lock_timeout', '100ms', true);
  while most > 0 loop
    select * into board from (
      select null::uuid as organization_id, metric from app.global_season where period = week and finalised_at is null
      union all
      select organization_id, metric from app.company_season where period = week and finalised_at is null
    ) as unfinished
    order by organization_id, metric
    limit 1;
    if not found then
      update app.season set finalised_at = at where period = week;
      left_over := false;
      exit;
    end if;
    begin
      -- A board without anybody is work too.
      most := most - greatest(1, app.finalise_board(week, board.organization_id, board.metric, most, at));
    exception
      -- Somebody on it left the company, or ended their account, after this had looked. Looked at again, they are gone.
      when foreign_key_violation then most := most - 1;
      when lock_not_available then exit;
    end;
  end loop;
  perform set_config('app.closing_season', '', true);
  return left_over;
end
$$;

ALTER FUNCTION app.finalise_season(week text, most integer, at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.finalise_season(week text, most integer, at timestamp with time zone) IS 'Writes so many ranks of a closed week to history, and says whether there is more to do: false as well while another call is at it.';

CREATE FUNCTION app.fold_global_tally(most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  folded integer;
begin
  -- One at a time: two would wait for each other's counts.
  if not pg_try_advisory_xact_lock(hashtextextended('app.fold_global_tally', 0)) then
    return 0;
  end if;
  with change as (
    delete from app.global_tally_change
    where change_id in (select change_id from app.global_tally_change order by change_id limit most)
    returning period, metric, value, people
  ), counted as (
    insert into app.global_tally as t (period, metric, level, bucket, people)
    select period, metric, level, case level when 0 then value else value / 128 end as bucket, sum(change.people)
    from change
      cross join unnest(array[0, 1]) as level
    group by 1, 2, 3, 4
    on conflict (period, metric, level, bucket) do update set people = t.people + excluded.people
  )
  select count(*) into folded from change;
  return folded;
end
$$;

ALTER FUNCTION app.fold_global_tally(most integer) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.fold_global_tally(most integer) IS 'Folds so many changes into the counts, and says how many it were: 0 as well while another call is at it.';

CREATE FUNCTION app.follow_directory() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION app.follow_directory() OWNER TO breathmaster_worker;

CREATE FUNCTION app.followed_organization_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('app.key_organization_id'::text, true), ''::text))::uuid;

ALTER FUNCTION app.followed_organization_id() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.followed_organization_id() IS 'The same, and null without one: for the worker, whose policies stand side by side, so that one must not fail another.';

CREATE FUNCTION app.forget_account_merges(at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform set_config('app.delivering', at::text, true);
  delete from app.account_merge where good_until <= at;
  perform set_config('app.delivering', '', true);
end
$$;

ALTER FUNCTION app.forget_account_merges(at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.forget_account_merges(at timestamp with time zone) IS 'Codes that are over are nobody''s any more.';

CREATE FUNCTION app.forget_blocks() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  bound constant text := coalesce(current_setting('app.uid', true), '');
begin
  perform set_config('app.uid', old.uid::text, true);
  delete from app.block where blocked_uid = old.uid;
  perform set_config('app.uid', bound, true);
  return null;
end
$$;

ALTER FUNCTION app.forget_blocks() OWNER TO breathmaster_owner;

CREATE FUNCTION app.forget_detail(place uuid, at timestamp with time zone, people integer, most integer, OUT next_place uuid, OUT forgotten integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  today constant date := (at at time zone 'UTC')::date;
  person record;
  horizon date;
  gone integer;
begin
  forgotten := 0;
  perform set_config('app.auditing', place::text, true);
  for person in
    select u.uid, u.data_retention from app.user u where u.uid > place order by u.uid limit people
  loop
    perform set_config('app.forgetting_uid', person.uid::text, true);
    horizon := today - person.data_retention;
    -- A local day ends 18 hours after UTC's at the latest, and whatever ended in it had begun by then.
    if exists (
      select from app.session s
      where s.uid = person.uid and s.began_at < (horizon + 1)::timestamp at time zone 'UTC' and s.local_day < horizon
    ) then
      -- A sync that is under way goes by what it has read; that person waits for the next time.
      perform from app.game_state g where g.uid = person.uid for no key update skip locked;
      if found then
        update app.game_state g set detail_from = greatest(g.detail_from, horizon) where g.uid = person.uid;
        delete from app.session s
        where s.uid = person.uid and (s.device_id, s.session_id, s.started_at) in (
          select o.device_id, o.session_id, o.started_at from app.session o
          where o.uid = person.uid and o.began_at < (horizon + 1)::timestamp at time zone 'UTC' and o.local_day < horizon
          limit greatest(0, most - forgotten)
        );
        get diagnostics gone = row_count;
        forgotten := forgotten + gone;
      end if;
    end if;
    -- One of the clear's day or before is known by its day to be cleared; UTC's day before is that wherever the device was.
    -- Any other would come back if a device brought it again, as would one that another account had cleared, and stays.
    if exists (
      select from app.game_state g join app.daily_challenge c on c.uid = g.uid and c.epoch < g.epoch
      where g.uid = person.uid and c.local_day < horizon and c.local_day < (g.epoch_started_at at time zone 'UTC')::date
    ) then
      perform from app.game_state g where g.uid = person.uid for no key update skip locked;
      if found then
        delete from app.daily_challenge c
        where c.uid = person.uid and (c.device_id, c.epoch, c.challenge_id) in (
          select o.device_id, o.epoch, o.challenge_id
          from app.game_state g join app.daily_challenge o on o.uid = g.uid and o.epoch < g.epoch
          where g.uid = person.uid and o.local_day < horizon and o.local_day < (g.epoch_started_at at time zone 'UTC')::date
          limit greatest(0, most - forgotten)
        );
        get diagnostics gone = row_count;
        forgotten := forgotten + gone;
      end if;
    end if;
    -- An answer says what became of each session. What it handed out is needed still, and stays.
    update app.sync_batch b set answer = null
    where b.uid = person.uid and b.batch_id in (
      select o.batch_id from app.sync_batch o
      where o.uid = person.uid and o.received_at < horizon::timestamp at time zone 'UTC' and o.answer is not null
      limit most
    );
    get diagnostics gone = row_count;
    forgotten := forgotten + gone;
    delete from app.audit_event e
    where e.uid = person.uid and (e.happened_at, e.event_id) in (
      select o.happened_at, o.event_id from app.audit_event o
      where o.uid = person.uid and o.happened_at < at - interval '400 days'
      limit most
    );
    get diagnostics gone = row_count;
    forgotten := forgotten + gone;
    -- There may be more of this person, who comes first again.
    exit when forgotten >= most;
    next_place := person.uid;
  end loop;
  next_place := coalesce(next_place, case when forgotten >= most then place end);
  perform set_config('app.auditing', '', true), set_config('app.forgetting_uid', '', true);
end
$$;

ALTER FUNCTION app.forget_detail(place uuid, at timestamp with time zone, people integer, most integer, OUT next_place uuid, OUT forgotten integer) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.forget_detail(place uuid, at timestamp with time zone, people integer, most integer, OUT next_place uuid, OUT forgotten integer) IS 'One step of forgetting: of some people after a place, sessions, cleared challenges and answers that are older than they keep them, and lines of their records of more than 400 days. Where to go on, null where nobody is left, and how much went.';

CREATE FUNCTION app.forget_device_approvals() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  delete from app.device_approval where uid = (select app.uid());
$$;

ALTER FUNCTION app.forget_device_approvals() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.forget_device_approvals() IS 'Devices that the bound user has let in and that have not come back stay out.';

CREATE FUNCTION app.forget_organization_events(at timestamp with time zone, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  company record;
  last record;
  gone integer;
  forgotten integer := 0;
begin
  perform set_config('app.tending', at::text, true);
  for company in
    select o.organization_id, at - make_interval(days => o.audit_retention_days) as horizon from app.organization o
    where exists (
      select from app.organization_event e where e.organization_id = o.organization_id
        and e.happened_at < at - make_interval(days => o.audit_retention_days)
    )
    order by o.organization_id
    limit most
  loop
    perform set_config('app.uid', '00000000-0000-0000-0000-000000000000', true),
      set_config('app.organization_id', company.organization_id::text, true);
    -- The longest beginning whose lines are all old enough: clocks may differ by a little.
    select e.number, e.hash into last from app.organization_event e
    where e.organization_id = company.organization_id
      and e.number < coalesce(
        (select min(young.number) from app.organization_event young
         where young.organization_id = company.organization_id and young.happened_at >= company.horizon),
        9223372036854775807)
    order by e.number desc limit 1;
    continue when not found;
    delete from app.organization_event e where e.organization_id = company.organization_id and e.number <= last.number;
    get diagnostics gone = row_count;
    update app.organization_event_head h set forgotten_number = last.number, forgotten_hash = last.hash
    where h.organization_id = company.organization_id and h.forgotten_number < last.number;
    forgotten := forgotten + gone;
  end loop;
  perform set_config('app.tending', '', true), set_config('app.uid', '', true), set_config('app.organization_id', '', true);
  return forgotten;
end
$$;

ALTER FUNCTION app.forget_organization_events(at timestamp with time zone, most integer) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.forget_organization_events(at timestamp with time zone, most integer) IS 'Removes the lines of some companies that are older than each wants them kept: how many.';

CREATE FUNCTION app.forget_password_resets(addresses text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Whenever they were asked for, by whichever server's clock.
  perform set_config('app.delivering', 'infinity', true);
  delete from app.password_reset r where lower(r.address) = any (select lower(given) from unnest(addresses) as a (given));
  perform set_config('app.delivering', '', true);
end
$$;

ALTER FUNCTION app.forget_password_resets(addresses text[]) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.forget_password_resets(addresses text[]) IS 'Nobody has forgotten the password of those addresses any more.';

CREATE FUNCTION app.forget_rate_limits(at timestamp with time zone, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  forgotten integer;
begin
  delete from app.rate_limit where subject in (
    select subject from app.rate_limit where free_at <= at limit most for update skip locked
  );
  get diagnostics forgotten = row_count;
  return forgotten;
end
$$;

ALTER FUNCTION app.forget_rate_limits(at timestamp with time zone, most integer) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.forget_rate_limits(at timestamp with time zone, most integer) IS 'Removes what says no more than its absence would: how many.';

CREATE FUNCTION app.forget_recovery_code() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  delete from app.recovery_code
  where uid = (select app.uid()) and exists (select from app.email_claim where uid = (select app.uid()));
$$;

ALTER FUNCTION app.forget_recovery_code() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.forget_recovery_code() IS 'With a new password, whoever has seen the bound user''s code is out too. It stays where there is no address, as the only way back.';

CREATE FUNCTION app.forget_shown_address() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  outer_uid constant text := coalesce(current_setting('app.uid', true), '');
begin
  perform set_config('app.uid', old.uid::text, true);
  update app.member set shown_domain = null where uid = old.uid and shown_domain = old.domain;
  perform set_config('app.uid', outer_uid, true);
  return null;
end
$$;

ALTER FUNCTION app.forget_shown_address() OWNER TO breathmaster_owner;

CREATE FUNCTION app.forget_shown_domain() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
begin
  perform pg_advisory_xact_lock(hashtextextended('app.shown_domain ' || old.organization_id, 0));
  perform set_config('app.key_organization_id', old.organization_id::text, true);
  update app.member set shown_domain = null
  where organization_id = old.organization_id and shown_domain = old.domain;
  perform set_config('app.key_organization_id', outer_organization, true);
  return null;
end
$$;

ALTER FUNCTION app.forget_shown_domain() OWNER TO breathmaster_worker;

CREATE FUNCTION app.forgetting_uid() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('app.forgetting_uid'::text, true), ''::text))::uuid;

ALTER FUNCTION app.forgetting_uid() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.forgetting_uid() IS 'Whose old detail is being forgotten in this transaction; null where nobody''s is, so that nothing is seen.';

CREATE FUNCTION app.found_organization(called text, origin app.origin) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
  founded constant uuid := gen_random_uuid();
begin
  -- Two that are founded at once take turns, so that ten are ten.
  perform from app.user where uid = me for no key update;
  if (select count(*) from app.member m where m.uid = me and m.role = 'owner') >= 10 then
    raise exception 'no room for another company' using errcode = 'BM409', constraint = 'organization_limit_reached';
  end if;
  perform set_config('app.organization_id', founded::text, true);
  insert into app.organization (organization_id, name, created_at) values (founded, called, origin.happened_at);
  insert into app.member (organization_id, uid, role, joined_at) values (founded, me, 'owner', origin.happened_at);
  perform app.record_organization_event(founded, 'organization.created', 'organization', null,
    jsonb_build_object('name', called), origin);
  return founded;
end
$$;

ALTER FUNCTION app.found_organization(called text, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.found_organization(called text, origin app.origin) IS 'A company of the bound user''s, who owns it. Nobody else can be asked into it before it has proved a domain. BM409 with ten.';

CREATE FUNCTION app.friend_code_owner(given bytea) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select uid from app.friend_code where digest = given and made_at > now() - interval '30 days';
$$;

ALTER FUNCTION app.friend_code_owner(given bytea) OWNER TO breathmaster_boards;

COMMENT ON FUNCTION app.friend_code_owner(given bytea) IS 'Null for a code that is over, was replaced or never was.';

CREATE FUNCTION app.friend_door(whom uuid, OUT asks_welcome boolean, OUT codes_welcome boolean, OUT accepts boolean, OUT closed boolean, OUT code_made_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
begin
  -- Nobody could be bound as nobody.
  if whom is null then
    return;
  end if;
  perform set_config('app.uid', whom::text, true);
  select place.received < 500 and u.allow_friend_requests, place.received < 500,
    u.auto_accept_friends and place.taken < 500,
    exists (select from app.block b where b.uid = u.uid and b.blocked_uid = me),
    (select c.made_at from app.friend_code c where c.uid = u.uid)
  into asks_welcome, codes_welcome, accepts, closed, code_made_at
  from app.user u, app.friend_places() as place
  where u.uid = whom;
  perform set_config('app.uid', me::text, true);
end
$$;

ALTER FUNCTION app.friend_door(whom uuid, OUT asks_welcome boolean, OUT codes_welcome boolean, OUT accepts boolean, OUT closed boolean, OUT code_made_at timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.friend_door(whom uuid, OUT asks_welcome boolean, OUT codes_welcome boolean, OUT accepts boolean, OUT closed boolean, OUT code_made_at timestamp with time zone) IS 'Whether one may be asked by uid and by code, whether they accept at once, whether they blocked the one who asks, and since when there is their code. Nulls for who does not exist.';

CREATE FUNCTION app.friend_places() RETURNS TABLE(taken bigint, asked bigint, received bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select count(*) filter (where accepted_at is not null or (asked_by = (select app.uid()) and withdrawn_at is null)),
    count(*) filter (where accepted_at is null and asked_by = (select app.uid()) and withdrawn_at is null),
    count(*) filter (where accepted_at is null and asked_by <> (select app.uid()) and declined_at is null)
  from app.friendship
  where uid = (select app.uid()) or friend_uid = (select app.uid());
$$;

ALTER FUNCTION app.friend_places() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.friend_places() IS 'Of the bound user: friends and own requests, own requests alone, and the requests that they see of others.';

CREATE FUNCTION app.greet_address() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION app.greet_address() OWNER TO breathmaster_worker;

CREATE FUNCTION app.greet_directory(of_organization uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
begin
  perform set_config('app.key_organization_id', of_organization::text, true);
  insert into app.member (organization_id, uid, role, agreed_at, directory_user_id, domain)
  select distinct on (e.uid) of_organization, e.uid, 'member', null::timestamptz, d.directory_user_id, e.domain
  from app.directory_user d
    join app.email_claim e on e.mailbox = d.address
  where d.organization_id = of_organization and d.active and not d.declined
    and e.domain = any ((select app.provisioned_domains())::text[])
  order by e.uid, d.directory_user_id
  on conflict (organization_id, uid) do update set directory_user_id = excluded.directory_user_id
    where member.directory_user_id is null and member.role <> 'owner';
  perform set_config('app.key_organization_id', outer_organization, true);
end
$$;

ALTER FUNCTION app.greet_directory(of_organization uuid) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.greet_directory(of_organization uuid) IS 'Makes members of those whom a company''s directory has and whose address in a proved domain is somebody''s.';

CREATE FUNCTION app.greet_domain() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform app.greet_directory(new.organization_id);
  return null;
end
$$;

ALTER FUNCTION app.greet_domain() OWNER TO breathmaster_worker;

CREATE FUNCTION app.has_only_owner(of_organization uuid, who uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
  only boolean;
begin
  perform set_config('app.key_organization_id', of_organization::text, true);
  select count(*) > 0 and bool_and(role <> 'owner') into only
  from app.member where organization_id = of_organization and uid <> who;
  perform set_config('app.key_organization_id', outer_organization, true);
  return only;
end
$$;

ALTER FUNCTION app.has_only_owner(of_organization uuid, who uuid) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.has_only_owner(of_organization uuid, who uuid) IS 'Whether a company has members, and no owner, beside that one.';

CREATE FUNCTION app.has_other_owner(of_organization uuid, than uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  age constant text := coalesce(current_setting('app.sign_in_age', true), '');
  has boolean;
begin
  -- Who stays isn't hidden by how old the sign-in is of the one who goes.
  perform set_config('app.sign_in_age', '', true);
  has := exists (select from app.member where organization_id = of_organization and role = 'owner' and uid <> than);
  perform set_config('app.sign_in_age', age, true);
  return has;
end
$$;

ALTER FUNCTION app.has_other_owner(of_organization uuid, than uuid) OWNER TO breathmaster_boards;

COMMENT ON FUNCTION app.has_other_owner(of_organization uuid, than uuid) IS 'Whether the company would still have an owner without that one. For who may list its members.';

CREATE FUNCTION app.identified() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select nullif(current_setting('app.identified', true), '')
$$;

ALTER FUNCTION app.identified() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.identified() IS 'The identity whose person is looked for. Null where there is none, since the worker''s policies stand side by side and one must not fail another.';

CREATE FUNCTION app.index_directory_emails() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if tg_op = 'UPDATE' then
    delete from app.directory_email where organization_id = new.organization_id and directory_user_id = new.directory_user_id;
  end if;
  insert into app.directory_email (organization_id, email_key, directory_user_id)
  select distinct new.organization_id, left(lower(email ->> 'value'), 320), new.directory_user_id
  from jsonb_array_elements(new.emails) as given (email)
  where email ->> 'value' is not null;
  return null;
end
$$;

ALTER FUNCTION app.index_directory_emails() OWNER TO breathmaster_worker;

CREATE FUNCTION app.invite(of_organization uuid, id uuid, whom text, given text, origin app.origin) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  company app.organization;
  proved boolean;
  in_domain boolean;
  waiting text;
begin
  perform app.begin_change(of_organization, 'members.invite');
  -- Who may invite and give no role, invites plain members, and takes no other invitation's place.
  if given <> 'member' then
    perform app.require_permission(of_organization, 'roles.change');
  end if;
  select * into company from app.organization where organization_id = of_organization;
  select count(*) > 0, coalesce(bool_or(domain = lower(split_part(whom, '@', 2))), false) into proved, in_domain
  from app.domain_claim where organization_id = of_organization and proved_at is not null;
  if not proved then
    raise exception 'no domain is proved' using errcode = 'BM409', constraint = 'domain_not_proved';
  end if;
  if company.domain_restricted and not in_domain then
    raise exception 'outside of the proved domains' using errcode = 'BM422', constraint = 'invitation_outside_domains';
  end if;
  delete from app.invitation where organization_id = of_organization and good_until <= origin.happened_at;
  if (select count(*) from app.invitation where organization_id = of_organization) >= 500 then
    raise exception 'no room for another invitation' using errcode = 'BM409', constraint = 'invitation_limit_reached';
  end if;
  delete from app.invitation where organization_id = of_organization and lower(address) = lower(whom) returning role into waiting;
  if waiting <> 'member' then
    perform app.require_permission(of_organization, 'invitations.manage');
  end if;
  insert into app.invitation (organization_id, invitation_id, address, role, invited_at, good_until)
  values (of_organization, id, whom, given, origin.happened_at, origin.happened_at + interval '7 days');
  if not app.outbox_has_room(origin.happened_at) then
    raise exception 'the outbox is full' using errcode = '53000';
  end if;
  insert into app.outbox (uid, message_id, kind, recipient, about, written_at, good_until, due_at)
  values (app.uid(), id, 'invitation', whom, company.name, origin.happened_at, origin.happened_at + interval '1 day',
    origin.happened_at);
  perform app.record_organization_event(of_organization, 'invitation.sent', 'invitation:' || id, null,
    jsonb_build_object('address', whom, 'role', given), origin);
end
$$;

ALTER FUNCTION app.invite(of_organization uuid, id uuid, whom text, given text, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.invite(of_organization uuid, id uuid, whom text, given text, origin app.origin) IS 'Asks an address into the company, by mail. Another one takes the place of the one before. BM409 where no domain is proved or 500 wait, BM422 where the address is outside of the domains and that matters, BM403 for a role that is not the bound user''s to give.';

CREATE FUNCTION app.inviting_organization_ids() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select coalesce(array_agg(organization_id), '{}')
  from (select organization_id from app.domain_claim union select organization_id from app.invitation) as inviting;
$$;

ALTER FUNCTION app.inviting_organization_ids() OWNER TO breathmaster_boards;

COMMENT ON FUNCTION app.inviting_organization_ids() IS 'The companies that proved a domain in which the bound user has an address, or that have invited one: which rows those are, the policies say.';

CREATE FUNCTION app.is_guest_of(of_organization uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  outer_organization constant text := coalesce(current_setting('app.key_organization_id', true), '');
  me constant uuid := app.uid();
  domains text[];
  is_guest boolean;
begin
  perform set_config('app.key_organization_id', of_organization::text, true);
  is_guest := exists (
    select from app.member m
    where m.organization_id = of_organization and m.uid = me and m.domain is null and m.directory_user_id is null
      and m.shown_domain is null
  );
  if is_guest then
    domains := app.restricting_domains();
    is_guest := domains <> '{}'
      and not exists (select from app.email_claim e where e.uid = me and e.domain = any (domains));
  end if;
  perform set_config('app.key_organization_id', outer_organization, true);
  return is_guest;
end
$$;

ALTER FUNCTION app.is_guest_of(of_organization uuid) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.is_guest_of(of_organization uuid) IS 'Whether the bound user is one of the guests of that company, as app.company_guests has them.';

CREATE TABLE app."user" (
    uid uuid NOT NULL,
    display_name text,
    avatar_url text,
    share_progress boolean DEFAULT false NOT NULL,
    share_streaks boolean DEFAULT false NOT NULL,
    allow_friend_requests boolean DEFAULT false NOT NULL,
    global_board boolean DEFAULT false NOT NULL,
    friends_board boolean DEFAULT false NOT NULL,
    company_board boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    preferred_sync_frequency text DEFAULT 'realtime'::text NOT NULL,
    day_starts_at integer DEFAULT 0 NOT NULL,
    auto_accept_friends boolean DEFAULT false NOT NULL,
    share_detailed_progress boolean DEFAULT false NOT NULL,
    anonymized_display boolean DEFAULT false NOT NULL,
    stats_sharing text DEFAULT 'minimal'::text NOT NULL,
    hide_from_global_leaderboard boolean DEFAULT false NOT NULL,
    friends_only_visible boolean DEFAULT false NOT NULL,
    show_detailed_stats boolean DEFAULT false NOT NULL,
    real_name text,
    show_real_name boolean DEFAULT false NOT NULL,
    hides_global_board boolean DEFAULT false NOT NULL,
    hides_friends_board boolean DEFAULT false NOT NULL,
    hides_company_board boolean DEFAULT false NOT NULL,
    data_retention integer DEFAULT 365 NOT NULL,
    CONSTRAINT user_avatar_url_invalid CHECK (((char_length(avatar_url) <= 2048) AND (avatar_url ~ '^https://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?([/?#][A-Za-z0-9\[\]._~:/?#@!$&''()*+,;=%-]*)?$'::text))),
    CONSTRAINT user_data_retention_invalid CHECK (((data_retention >= 30) AND (data_retention <= 3650))),
    CONSTRAINT user_day_starts_at_invalid CHECK (((day_starts_at >= 0) AND (day_starts_at <= 6))),
    CONSTRAINT user_display_name_invalid CHECK ((((char_length(display_name) >= 1) AND (char_length(display_name) <= 160)) AND (display_name IS NORMALIZED) AND (display_name !~ '[[:cntrl:]]'::text) AND (display_name ~ '[^[:space:]]'::text))),
    CONSTRAINT user_preferred_sync_frequency_invalid CHECK ((preferred_sync_frequency = ANY (ARRAY['realtime'::text, 'hourly'::text, 'daily'::text]))),
    CONSTRAINT user_real_name_invalid CHECK ((((char_length(real_name) >= 1) AND (char_length(real_name) <= 320)) AND (real_name IS NORMALIZED) AND (real_name !~ '[[:cntrl:]]'::text) AND (real_name ~ '[^[:space:]]'::text))),
    CONSTRAINT user_stats_sharing_invalid CHECK ((stats_sharing = ANY (ARRAY['minimal'::text, 'standard'::text, 'detailed'::text])))
);

ALTER TABLE ONLY app."user" FORCE ROW LEVEL SECURITY;

ALTER TABLE app."user" OWNER TO breathmaster_owner;

COMMENT ON TABLE app."user" IS 'A person. What others see of them is a projection (app.standing and the board views), never this row.';

COMMENT ON COLUMN app."user".display_name IS 'Chosen by the person; never derived from an e-mail address; unique nowhere.';

COMMENT ON COLUMN app."user".share_progress IS 'The master switch: without it this person is on no board at all.';

COMMENT ON COLUMN app."user".share_streaks IS 'Whether boards may show the streak beside the rest.';

COMMENT ON COLUMN app."user".allow_friend_requests IS 'Whether others may ask by uid. A code that the person gave away is an invitation of its own and works without.';

COMMENT ON COLUMN app."user".preferred_sync_frequency IS 'How often the person wants their devices to come. A wish: the server takes every sync.';

COMMENT ON COLUMN app."user".day_starts_at IS 'The local hour at which the person''s day begins: later than midnight for those who practise after it.';

COMMENT ON COLUMN app."user".auto_accept_friends IS 'Whether who may ask is a friend at once.';

COMMENT ON COLUMN app."user".share_detailed_progress IS 'Whether a friends board shows the sessions of all time and the favourite patterns beside the week.';

COMMENT ON COLUMN app."user".anonymized_display IS 'On the global board under a name of each season''s own, without uid and avatar.';

COMMENT ON COLUMN app."user".stats_sharing IS 'What stands beside the value on the global board: nothing; what else the week has; and all time too, where show_detailed_stats says so as well.';

COMMENT ON COLUMN app."user".friends_only_visible IS 'On no board but the friends''.';

COMMENT ON COLUMN app."user".show_detailed_stats IS 'Whether boards may show total XP and the longest streak of all time, and the global one the number of sessions too: on friends boards, that one goes by share_detailed_progress.';

COMMENT ON COLUMN app."user".real_name IS 'For colleagues, where both the company and the person say so; nobody else ever sees it.';

COMMENT ON COLUMN app."user".hides_global_board IS 'The person doesn''t want to compare themself: they are shown nothing of that board, not even their own place.';

COMMENT ON COLUMN app."user".data_retention IS 'Days for which the person wants the detail of their practice to be kept. What it adds up to stays.';

CREATE FUNCTION app.is_on_company_boards(person app."user") RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((person).share_progress AND (person).company_board AND (NOT (person).friends_only_visible));

ALTER FUNCTION app.is_on_company_boards(person app."user") OWNER TO breathmaster_owner;

CREATE FUNCTION app.is_on_global_board(person app."user") RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((person).share_progress AND (person).global_board AND (NOT (person).hide_from_global_leaderboard) AND (NOT (person).friends_only_visible));

ALTER FUNCTION app.is_on_global_board(person app."user") OWNER TO breathmaster_owner;

CREATE FUNCTION app.join_organization(joined uuid, agreed text, origin app.origin) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
  agreement constant text := app.joining_agreement(joined, origin.happened_at);
  invitation uuid;
  given text;
  by_domain text;
begin
  perform set_config('app.organization_id', joined::text, true);
  if exists (select from app.member where organization_id = joined and uid = me and agreed_at is not null) then
    return;
  end if;
  if agreed is distinct from agreement then
    raise exception 'agreed to something else' using errcode = 'BM409', constraint = 'agreement_stale';
  end if;
  -- The one that the preview has shown; with it the others are spent, of other addresses of theirs.
  select i.invitation_id, i.role into invitation, given from board.suggestion i
  where i.organization_id = joined and i.good_until > origin.happened_at;
  with spent as (
    delete from app.invitation where organization_id = joined and lower(address) = any (app.own_addresses())
    returning invitation_id
  )
  select s.invitation_id, case when s.invitation_id is not null then given end into invitation, given
  from (values (1)) as one left join spent s on s.invitation_id = invitation;
  update app.member set agreed_at = origin.happened_at, role = coalesce(given, role)
  where organization_id = joined and uid = me and agreed_at is null;
  if found then
    perform app.record_organization_event(joined, 'member.agreed', 'user:' || me, null,
      jsonb_build_object('by', 'invitation:' || invitation), origin);
    return;
  end if;
  if invitation is null then
    -- A domain that lapses in this moment has lapsed before this looks.
    select d.domain into by_domain
    from app.domain_claim d join app.organization o on o.organization_id = d.organization_id
    where d.organization_id = joined and d.domain = any (app.own_domains()) and d.proved_at is not null and o.automatic_joining
    order by d.domain limit 1
    for key share of d;
    if not found then
      raise exception 'no proved domain of that organization holds an address of this user' using errcode = 'BM404';
    end if;
  end if;
  insert into app.member (organization_id, uid, role, joined_at, domain)
  values (joined, me, coalesce(given, 'member'), origin.happened_at, by_domain)
  on conflict do nothing;
  if found then
    perform app.record_organization_event(joined, 'member.joined', 'user:' || me, null,
      jsonb_build_object('role', coalesce(given, 'member'),
        'by', coalesce('invitation:' || invitation, 'domain:' || by_domain)), origin);
  end if;
end
$$;

ALTER FUNCTION app.join_organization(joined uuid, agreed text, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.join_organization(joined uuid, agreed text, origin app.origin) IS 'Makes the bound user a member, by an invitation, which is spent, or by a domain. BM404 where there is neither, BM409 where what they agreed to is not what the company would see. Joining again changes nothing.';

CREATE FUNCTION app.joining_agreement(of_organization uuid, at timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select left(encode(sha256(convert_to(app.joining_preview(of_organization, at)::text, 'UTF8')), 'hex'), 32);
$$;

ALTER FUNCTION app.joining_agreement(of_organization uuid, at timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.joining_agreement(of_organization uuid, at timestamp with time zone) IS 'Names what app.joining_preview shows: who agrees gives it back, so that nobody agrees to what has changed since.';

CREATE FUNCTION app.joining_preview(of_organization uuid, at timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  door record;
  me app.user;
  on_board boolean;
begin
  select * into door from board.suggestion s
  where s.organization_id = of_organization
    and (s.good_until > at or (s.domain is not null and (s.automatic_joining
      or exists (select from app.member m where m.organization_id = of_organization and m.uid = app.uid() and m.agreed_at is null))));
  if not found then
    raise exception 'no proved domain of that organization holds an address of this user' using errcode = 'BM404';
  end if;
  select * into me from app.user where uid = app.uid();
  on_board := door.leaderboard_enabled and app.is_on_company_boards(me);
  return jsonb_build_object(
    'organizationId', of_organization,
    'name', door.name,
    'role', case when door.good_until > at then door.role
      else coalesce((select m.role from app.member m where m.organization_id = of_organization and m.uid = app.uid()), 'member') end,
    'adminsSee', jsonb_build_object('displayName', me.display_name, 'avatarUrl', me.avatar_url),
    'boardEnabled', door.leaderboard_enabled,
    'colleaguesSee', case when on_board then jsonb_build_object('displayName', me.display_name, 'avatarUrl', me.avatar_url,
      'realName', case when door.show_real_names and me.show_real_name then me.real_name end,
      'metrics', jsonb_build_array('weeklyMinutes', 'weeklyConsistency', 'teamChallengeParticipation')) end);
end
$$;

ALTER FUNCTION app.joining_preview(of_organization uuid, at timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.joining_preview(of_organization uuid, at timestamp with time zone) IS 'What a company will see of the bound user, as they share now. BM404 where they cannot join it.';

CREATE FUNCTION app.keep_an_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  bound constant text := coalesce(current_setting('app.organization_id', true), '');
  person constant text := coalesce(current_setting('app.uid', true), '');
begin
  -- As nobody in particular, where nobody is bound, as when a company's program acts.
  perform set_config('app.organization_id', old.organization_id::text, true),
    set_config('app.uid', coalesce(nullif(person, ''), '00000000-0000-0000-0000-000000000000'), true);
  -- Two owners who go at once take turns. Of a company that is being deleted everybody goes.
  perform from app.organization where organization_id = old.organization_id and deletion_due_at is null for no key update;
  if found and app.has_only_owner(old.organization_id, old.uid) then
    raise exception 'the last owner' using errcode = 'BM409', constraint = 'last_owner';
  end if;
  perform set_config('app.organization_id', bound, true), set_config('app.uid', person, true);
  return old;
end
$$;

ALTER FUNCTION app.keep_an_owner() OWNER TO breathmaster_owner;

CREATE FUNCTION app.key_organization_id() RETURNS uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  bound constant text := current_setting('app.key_organization_id', true);
begin
  if bound is null or bound = '' then
    raise exception 'no organization''s key is bound to this transaction'
      using errcode = 'insufficient_privilege', hint = 'call app.bind_organization first';
  end if;
  return bound::uuid;
end
$$;

ALTER FUNCTION app.key_organization_id() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.key_organization_id() IS 'The organization whose key the transaction came by. Raises 42501 without one: beside app.organization_id(), which every member of it may be bound to.';

CREATE FUNCTION app.leaver_digest(organization uuid, mailbox text) RETURNS bytea
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select sha256(convert_to(organization || ' ' || mailbox, 'UTF8'));
$$;

ALTER FUNCTION app.leaver_digest(organization uuid, mailbox text) OWNER TO breathmaster_owner;

CREATE FUNCTION app.link_identity(of_issuer text, of_subject text, shown_address text, vouched_address text, nonce bytea, at timestamp with time zone, until timestamp with time zone) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION app.link_identity(of_issuer text, of_subject text, shown_address text, vouched_address text, nonce bytea, at timestamp with time zone, until timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.link_identity(of_issuer text, of_subject text, shown_address text, vouched_address text, nonce bytea, at timestamp with time zone, until timestamp with time zone) IS 'Makes an identity a way in for the bound user: ''linked'', ''kept'' where it was one already, ''spent'' where the nonce was. The address that the provider vouches for becomes theirs where it is nobody''s. Raises identity_taken where it is somebody else''s way in.';

CREATE FUNCTION app.mail_about_domain(whom uuid[], of_kind text, held_domain text, at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  nobody constant text := current_setting('app.uid');
  administrator uuid;
begin
  -- While no mail server takes any, what becomes of a domain doesn't wait: the record and the overview tell of it too.
  if not app.outbox_has_room(at) then
    return;
  end if;
  -- In the name of each, under the policies that hold them.
  foreach administrator in array whom loop
    perform set_config('app.uid', administrator::text, true);
    insert into app.outbox (uid, message_id, kind, recipient, about, written_at, good_until, due_at)
    select uid, gen_random_uuid(), of_kind, address, held_domain, at, at + interval '1 day', at
    from app.email_claim where uid = (select app.uid());
  end loop;
  perform set_config('app.uid', nobody, true);
end
$$;

ALTER FUNCTION app.mail_about_domain(whom uuid[], of_kind text, held_domain text, at timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.mail_about_domain(whom uuid[], of_kind text, held_domain text, at timestamp with time zone) IS 'Tells those people, at each of their addresses, what became of a domain; nobody, where the outbox is full.';

CREATE FUNCTION app.mail_refused(of_uid uuid, message uuid, attempt integer, why text, for_good boolean, at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform set_config('app.delivering', at::text, true);
  update app.outbox
  set due_at = at + least(interval '15 seconds' * 2 ^ (attempt - 1), interval '1 hour'),
    dead_at = case when for_good then at end,
    dead_of = case when for_good then why end
  where uid = of_uid and message_id = message and attempts = attempt;
end
$$;

ALTER FUNCTION app.mail_refused(of_uid uuid, message uuid, attempt integer, why text, for_good boolean, at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.mail_refused(of_uid uuid, message uuid, attempt integer, why text, for_good boolean, at timestamp with time zone) IS 'Tries again later, twice as late each time, or never where a mail server has refused for good. Passed over where another has taken the message since.';

CREATE FUNCTION app.mail_taken(of_uid uuid, message uuid, at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform set_config('app.delivering', at::text, true);
  delete from app.outbox where uid = of_uid and message_id = message;
end
$$;

ALTER FUNCTION app.mail_taken(of_uid uuid, message uuid, at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.mail_taken(of_uid uuid, message uuid, at timestamp with time zone) IS 'A mail server has taken the message, so it is nothing to keep.';

CREATE FUNCTION app.managed_organization_ids() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select app.permitted_organization_ids('settings.change');
$$;

ALTER FUNCTION app.managed_organization_ids() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.managed_organization_ids() IS 'Every organization whose settings the bound user may change.';

CREATE TABLE app.member (
    organization_id uuid NOT NULL,
    uid uuid NOT NULL,
    role text NOT NULL,
    joined_at timestamp with time zone DEFAULT now() NOT NULL,
    domain text,
    agreed_at timestamp with time zone DEFAULT now(),
    directory_user_id uuid,
    shown_domain text,
    CONSTRAINT member_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'analyst'::text, 'member'::text])))
);

ALTER TABLE ONLY app.member FORCE ROW LEVEL SECURITY;

ALTER TABLE app.member OWNER TO breathmaster_owner;

COMMENT ON TABLE app.member IS 'A person in an organization. The organization sees that they belong, never their practice.';

COMMENT ON COLUMN app.member.domain IS 'The proved domain by which they joined: the membership ends with it. Null for those whom the company has for another reason.';

COMMENT ON COLUMN app.member.agreed_at IS 'When the person agreed to be seen there. Null where the directory has put them in: until then nothing of theirs is on a board.';

COMMENT ON COLUMN app.member.directory_user_id IS 'Whom the directory knows them as: without that row, the membership is over.';

COMMENT ON COLUMN app.member.shown_domain IS 'A proved domain of the organization in which they had shown an address when they became a member, until one of the two goes. Who has one is no guest; who has none may be none as well, for an address shown since.';

CREATE TABLE app.organization (
    organization_id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    leaderboard_enabled boolean DEFAULT false NOT NULL,
    show_real_names boolean DEFAULT false NOT NULL,
    audit_retention_days integer DEFAULT 365,
    domain_restricted boolean DEFAULT true NOT NULL,
    automatic_joining boolean DEFAULT false NOT NULL,
    suspended_at timestamp with time zone,
    deletion_due_at timestamp with time zone,
    who_may_invite text DEFAULT 'admins'::text NOT NULL,
    max_sign_in_age_hours integer,
    CONSTRAINT organization_audit_retention_invalid CHECK (((audit_retention_days >= 90) AND (audit_retention_days <= 36500))),
    CONSTRAINT organization_max_sign_in_age_hours_invalid CHECK (((max_sign_in_age_hours >= 1) AND (max_sign_in_age_hours <= 8760))),
    CONSTRAINT organization_name_invalid CHECK (((char_length(name) >= 1) AND (char_length(name) <= 320))),
    CONSTRAINT organization_who_may_invite_invalid CHECK ((who_may_invite = ANY (ARRAY['admins'::text, 'members'::text])))
);

ALTER TABLE ONLY app.organization FORCE ROW LEVEL SECURITY;

ALTER TABLE app.organization OWNER TO breathmaster_owner;

COMMENT ON TABLE app.organization IS 'A company tenant.';

COMMENT ON COLUMN app.organization.show_real_names IS 'Whether the board has the real names of those who agree to that, or the names that they chose to be seen by.';

COMMENT ON COLUMN app.organization.audit_retention_days IS 'For how long a line of its record is kept; null is for ever.';

COMMENT ON COLUMN app.organization.domain_restricted IS 'Whether only addresses in its proved domains are invited, and only people of those are on its boards: a member who is there for another reason and shows no address in one of them is a guest, see app.company_guests. Without a proved domain there are no guests.';

COMMENT ON COLUMN app.organization.automatic_joining IS 'Whether an address in a proved domain is enough to join. Without it, an invitation is needed.';

COMMENT ON COLUMN app.organization.suspended_at IS 'Since when the operator has it closed: no board, nobody joins, nothing is changed. Its members stay, and may leave.';

COMMENT ON COLUMN app.organization.deletion_due_at IS 'When it is deleted. Closed until then, and open again if its owner says so.';

COMMENT ON COLUMN app.organization.who_may_invite IS 'Whether its members may invite too, as plain members, or its owners and admins alone.';

COMMENT ON COLUMN app.organization.max_sign_in_age_hours IS 'How old the sign-in of a member may be who wants to see anything of the company. Their own practice is theirs however old it is.';

CREATE FUNCTION app.may(who app.member, company app.organization, asked text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select app.sign_in_is_recent(company.max_sign_in_age_hours) and (
    exists (
      select from app.role_permission p
      where p.role = who.role and p.permission = asked
        and (p.when_closed or (company.suspended_at is null and company.deletion_due_at is null)))
    or (asked = 'members.invite' and company.who_may_invite = 'members' and who.agreed_at is not null
      and company.suspended_at is null and company.deletion_due_at is null));
$$;

ALTER FUNCTION app.may(who app.member, company app.organization, asked text) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.may(who app.member, company app.organization, asked text) IS 'Whether that member has that permission now: by their role, or by what the company lets every member do.';

CREATE FUNCTION app.note_departure() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION app.note_departure() OWNER TO breathmaster_worker;

CREATE FUNCTION app.note_group_members() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if coalesce(current_setting('app.key_origin', true), '') <> '' then
    perform set_config('app.group_members_changed', (
      coalesce(nullif(current_setting('app.group_members_changed', true), '')::jsonb, '[]')
        || coalesce((select jsonb_agg(jsonb_build_array(c.directory_group_id, c.directory_user_id, tg_op)) from changed c), '[]')
    )::text, true);
  end if;
  return null;
end
$$;

ALTER FUNCTION app.note_group_members() OWNER TO breathmaster_owner;

CREATE FUNCTION app.note_key_use(id uuid, day date) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  update app.organization_key set used_on = day
  where organization_id = (select app.key_organization_id()) and key_id = id and coalesce(used_on < day, true);
$$;

ALTER FUNCTION app.note_key_use(id uuid, day date) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.note_key_use(id uuid, day date) IS 'Once a day, by a transaction that came by a key of that organization.';

CREATE FUNCTION app.notify_of_password(at timestamp with time zone) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  insert into app.outbox (uid, message_id, kind, recipient, written_at, good_until, due_at)
  select uid, gen_random_uuid(), 'passwordChanged', address, at, at + interval '1 day', at
  from app.email_claim where uid = (select app.uid());
$$;

ALTER FUNCTION app.notify_of_password(at timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.notify_of_password(at timestamp with time zone) IS 'Tells the bound user, at each of their addresses, that their password is another now.';

CREATE FUNCTION app.offer_ownership(of_organization uuid, whom uuid, origin app.origin) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
begin
  perform app.begin_change(of_organization, 'ownership.transfer');
  if app.role_in(of_organization, whom) is null then
    raise exception 'no such member' using errcode = 'BM404';
  end if;
  if app.role_in(of_organization, whom) = 'owner' then
    raise exception 'an owner already' using errcode = 'BM422', constraint = 'ownership_offer_invalid';
  end if;
  delete from app.ownership_offer where organization_id = of_organization and offered_by = me;
  -- Of two owners who offer it to the same member, the later one hands over.
  insert into app.ownership_offer (organization_id, uid, offered_by, offered_at, good_until)
  values (of_organization, whom, me, origin.happened_at, origin.happened_at + interval '7 days')
  on conflict (organization_id, uid) do update
    set (offered_by, offered_at, good_until) = (excluded.offered_by, excluded.offered_at, excluded.good_until);
  perform app.record_organization_event(of_organization, 'ownership.offered', 'user:' || whom, null, null, origin);
end
$$;

ALTER FUNCTION app.offer_ownership(of_organization uuid, whom uuid, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.offer_ownership(of_organization uuid, whom uuid, origin app.origin) IS 'Asks a member to be the owner in the bound user''s place, for seven days. Another offer takes the place of the one before.';

CREATE FUNCTION app.open_account_merge(digest bytea, at timestamp with time zone, until timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform app.forget_account_merges(at);
  insert into app.account_merge (uid, code_digest, opened_at, good_until) values (app.uid(), digest, at, until)
  on conflict (uid) do update set (code_digest, opened_at, good_until, into_uid, agreed_at, confirmed_at)
    = (excluded.code_digest, excluded.opened_at, excluded.good_until, null, null, null);
end
$$;

ALTER FUNCTION app.open_account_merge(digest bytea, at timestamp with time zone, until timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.open_account_merge(digest bytea, at timestamp with time zone, until timestamp with time zone) IS 'The bound user''s account is to end in another one. What was asked before is over.';

CREATE FUNCTION app.order_deletion(of_organization uuid, origin app.origin) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform app.bind_organization(of_organization);
  perform app.begin_deletion(of_organization, origin, 'operator');
end
$$;

ALTER FUNCTION app.order_deletion(of_organization uuid, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.order_deletion(of_organization uuid, origin app.origin) IS 'As app.ask_deletion, by the operator. Raises BM404 where there is none.';

CREATE TABLE app.organization_event (
    organization_id uuid NOT NULL,
    number bigint NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    before jsonb,
    after jsonb,
    source text NOT NULL,
    request_id uuid NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT organization_event_action_check CHECK (((char_length(action) >= 1) AND (char_length(action) <= 60))),
    CONSTRAINT organization_event_actor_check CHECK (((char_length(actor) >= 1) AND (char_length(actor) <= 200))),
    CONSTRAINT organization_event_after_check CHECK ((pg_column_size(after) <= 8192)),
    CONSTRAINT organization_event_before_check CHECK ((pg_column_size(before) <= 8192)),
    CONSTRAINT organization_event_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT organization_event_number_check CHECK ((number >= 1)),
    CONSTRAINT organization_event_source_check CHECK ((char_length(source) <= 60)),
    CONSTRAINT organization_event_target_check CHECK (((char_length(target) >= 1) AND (char_length(target) <= 300)))
);

ALTER TABLE ONLY app.organization_event FORCE ROW LEVEL SECURITY;

ALTER TABLE app.organization_event OWNER TO breathmaster_owner;

COMMENT ON TABLE app.organization_event IS 'What was done to a company, for those who answer for it. Lines are added and read, and changed by nobody; each holds a hash of itself and the one before.';

COMMENT ON COLUMN app.organization_event.actor IS 'Who did it, as text that outlives them: user:UID, operator, system, or another feature''s word such as directory:ID.';

COMMENT ON COLUMN app.organization_event.target IS 'What it was done to, in the same form: organization, user:UID, domain:NAME.';

COMMENT ON COLUMN app.organization_event.before IS 'What it was before; never a secret.';

COMMENT ON COLUMN app.organization_event.source IS 'Where the request came from: an address for what a role allows, its network alone for what people do with themselves.';

CREATE FUNCTION app.organization_event_hash(event app.organization_event, previous bytea) RETURNS bytea
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select sha256(previous || convert_to(jsonb_build_array(event.organization_id, event.number,
    (extract(epoch from event.happened_at) * 1000000)::bigint, event.actor, event.action, event.target, event.before,
    event.after, event.source, event.request_id)::text, 'UTF8'));
$$;

ALTER FUNCTION app.organization_event_hash(event app.organization_event, previous bytea) OWNER TO breathmaster_owner;

CREATE FUNCTION app.refuse_unbound() RETURNS uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
begin
  raise exception 'no principal is bound to this transaction'
    using errcode = 'insufficient_privilege', hint = 'call app.bind first';
end
$$;

ALTER FUNCTION app.refuse_unbound() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.refuse_unbound() IS 'Never returns: what app.uid() says where nobody is bound.';

CREATE FUNCTION app.uid() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (current_setting('app.uid'::text, true) <> ''::text) THEN (current_setting('app.uid'::text, true))::uuid ELSE app.refuse_unbound() END;

ALTER FUNCTION app.uid() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.uid() IS 'The bound user. Raises 42501 when nothing is bound: unbound means an error, never an empty answer.';

CREATE FUNCTION app.organization_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (app.uid() IS NOT NULL) THEN (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid ELSE NULL::uuid END;

ALTER FUNCTION app.organization_id() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.organization_id() IS 'The bound organization, null for a person acting for themself. Raises 42501 when nothing is bound.';

CREATE FUNCTION app.organization_numbers(of_organization uuid, week text, at timestamp with time zone, OUT owners bigint, OUT admins bigint, OUT analysts bigint, OUT members bigint, OUT invitations bigint, OUT active integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  guests constant uuid[] := app.company_guests();
begin
  perform set_config('app.tending', at::text, true), set_config('app.closing_season', 'none', true);
  select count(*) filter (where role = 'owner'), count(*) filter (where role = 'admin'),
    count(*) filter (where role = 'analyst'), count(*) filter (where role = 'member')
  into owners, admins, analysts, members
  from app.member where organization_id = of_organization;
  select count(*) into invitations from app.invitation where organization_id = of_organization and good_until > at;
  -- In steps of five and never under five: one person who comes, goes or practises is not to be read from it.
  select nullif(count(*) / 5 * 5, 0) into active
  from app.company_standing
  where organization_id = of_organization and period = week and weekly_minutes > 0 and uid <> all (guests);
  perform set_config('app.tending', '', true), set_config('app.closing_season', '', true);
end
$$;

ALTER FUNCTION app.organization_numbers(of_organization uuid, week text, at timestamp with time zone, OUT owners bigint, OUT admins bigint, OUT analysts bigint, OUT members bigint, OUT invitations bigint, OUT active integer) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.organization_numbers(of_organization uuid, week text, at timestamp with time zone, OUT owners bigint, OUT admins bigint, OUT analysts bigint, OUT members bigint, OUT invitations bigint, OUT active integer) IS 'Of the bound organization: members by role, invitations, and how many of those who show the company their practice practised in a week, rounded down to fives and null under five.';

CREATE FUNCTION app.organization_overview(of_organization uuid, week text, at timestamp with time zone, OUT owners bigint, OUT admins bigint, OUT analysts bigint, OUT members bigint, OUT invitations bigint, OUT active integer, OUT proved bigint, OUT lost bigint, OUT pending bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform app.require_permission(of_organization, 'overview.read');
  perform set_config('app.organization_id', of_organization::text, true);
  select n.* into owners, admins, analysts, members, invitations, active from app.organization_numbers(of_organization, week, at) as n;
  select count(*) filter (where proved_at is not null and lost_at is null), count(*) filter (where lost_at is not null),
    count(*) filter (where proved_at is null)
  into proved, lost, pending
  from app.domain_claim where organization_id = of_organization;
end
$$;

ALTER FUNCTION app.organization_overview(of_organization uuid, week text, at timestamp with time zone, OUT owners bigint, OUT admins bigint, OUT analysts bigint, OUT members bigint, OUT invitations bigint, OUT active integer, OUT proved bigint, OUT lost bigint, OUT pending bigint) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.organization_overview(of_organization uuid, week text, at timestamp with time zone, OUT owners bigint, OUT admins bigint, OUT analysts bigint, OUT members bigint, OUT invitations bigint, OUT active integer, OUT proved bigint, OUT lost bigint, OUT pending bigint) IS 'As app.organization_numbers, and its domains. Errors as app.require_permission.';

CREATE FUNCTION app.organization_settings(of_organization app.organization) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select jsonb_build_object('name', of_organization.name, 'auditRetentionDays', of_organization.audit_retention_days,
    'domainRestricted', of_organization.domain_restricted, 'automaticJoining', of_organization.automatic_joining,
    'whoMayInvite', of_organization.who_may_invite, 'maxSignInAgeHours', of_organization.max_sign_in_age_hours,
    'leaderboard', jsonb_build_object('enabled', of_organization.leaderboard_enabled,
      'showRealNames', of_organization.show_real_names));
$$;

ALTER FUNCTION app.organization_settings(of_organization app.organization) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.organization_settings(of_organization app.organization) IS 'As the record has them, by the names of the API.';

CREATE FUNCTION app.other_entry(entry app.directory_user) RETURNS uuid
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select d.directory_user_id from app.directory_user d
  where d.organization_id = entry.organization_id and d.address = entry.address and d.active
    and d.directory_user_id <> entry.directory_user_id
    and split_part(d.address, '@', 2) = any (app.provisioned_domains())
  order by d.directory_user_id
  limit 1;
$$;

ALTER FUNCTION app.other_entry(entry app.directory_user) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.other_entry(entry app.directory_user) IS 'Another one that is active and has the same address.';

CREATE FUNCTION app.outbox_has_room(at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  room boolean;
begin
  perform set_config('app.delivering', at::text, true);
  select count(*) < 10000 into room from (select from app.outbox where dead_at is null limit 10000) as waiting;
  -- The rest of a person's transaction delivers nothing.
  perform set_config('app.delivering', '', true);
  return room;
end
$$;

ALTER FUNCTION app.outbox_has_room(at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.outbox_has_room(at timestamp with time zone) IS 'Whether another message may wait: beyond that, no mail server is taking any.';

CREATE FUNCTION app.own_addresses() RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select coalesce(array_agg(lower(address)), '{}') from app.email_claim where uid = (select app.uid());
$$;

ALTER FUNCTION app.own_addresses() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.own_addresses() IS 'Those that the bound user has shown to be theirs, in lower case.';

CREATE FUNCTION app.own_company_boards() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (
    select coalesce(array_agg(m.organization_id), '{}')
    from app.member m
      join app.organization o on o.organization_id = m.organization_id
    where m.uid = (select app.uid()) and m.organization_id = (select app.organization_id()) and o.leaderboard_enabled
      and o.suspended_at is null and o.deletion_due_at is null and app.sign_in_is_recent(o.max_sign_in_age_hours)
      and (coalesce(m.domain, m.shown_domain) is not null or m.directory_user_id is not null
        or not app.is_guest_of(m.organization_id))
  );
end
$$;

ALTER FUNCTION app.own_company_boards() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.own_company_boards() IS 'The bound organization, if the bound user is a member now, and no guest, whose sign-in is recent enough, it has its board on and it is not closed.';

CREATE FUNCTION app.own_domains() RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select coalesce(array_agg(distinct domain), '{}') from app.email_claim where uid = (select app.uid());
$$;

ALTER FUNCTION app.own_domains() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.own_domains() IS 'Those in which the bound user has shown an address to be theirs.';

CREATE FUNCTION app.own_organization_ids() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (select coalesce(array_agg(organization_id), '{}') from app.member where uid = (select app.uid()));
end
$$;

ALTER FUNCTION app.own_organization_ids() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.own_organization_ids() IS 'Every organization that the bound user is a member of.';

CREATE FUNCTION app.own_permissions(of_organization uuid) RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select coalesce(array_agg(p.permission order by p.permission), '{}')
  from app.member m
    join app.organization o on o.organization_id = m.organization_id
    cross join (select distinct permission from app.role_permission) as p
  where m.uid = (select app.uid()) and m.organization_id = of_organization and app.may(m, o, p.permission);
$$;

ALTER FUNCTION app.own_permissions(of_organization uuid) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.own_permissions(of_organization uuid) IS 'What the bound user may do in that organization.';

CREATE FUNCTION app.pass_on_member() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Where the company itself goes, nobody is left to be passed on.
  if current_setting('app.key_organization_id', true) = old.organization_id::text then
    update app.member set directory_user_id = coalesce(app.other_entry(old), directory_user_id)
    where organization_id = old.organization_id and directory_user_id = old.directory_user_id;
  end if;
  return old;
end
$$;

ALTER FUNCTION app.pass_on_member() OWNER TO breathmaster_worker;

CREATE FUNCTION app.password_by_email(given text, from_source text, OUT found_uid uuid, OUT found_phc text, OUT knows_source boolean) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  found_uid := app.uid_by_email(given);
  -- Nobody is looked for as well, so that nobody takes as long as somebody.
  perform set_config('app.uid', coalesce(found_uid, gen_random_uuid())::text, true);
  select phc into found_phc from app.password where uid = (select app.uid());
  knows_source := exists (
    select from app.audit_event
    where uid = (select app.uid()) and action = 'sign-in.begun' and source = from_source
  );
  perform set_config('app.uid', '', true);
end
$$;

ALTER FUNCTION app.password_by_email(given text, from_source text, OUT found_uid uuid, OUT found_phc text, OUT knows_source boolean) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.password_by_email(given text, from_source text, OUT found_uid uuid, OUT found_phc text, OUT knows_source boolean) IS 'What a password is checked against, nulls where there is none; and whether its person has signed in from that network before.';

CREATE FUNCTION app.people_after(place uuid, most integer) RETURNS uuid[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  people uuid[];
begin
  perform set_config('app.auditing', place::text, true);
  people := array(select uid from app.user where uid > place order by uid limit most);
  perform set_config('app.auditing', '', true);
  return people;
end
$$;

ALTER FUNCTION app.people_after(place uuid, most integer) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.people_after(place uuid, most integer) IS 'The next people in the order of their uids, for an audit that reads page by page.';

CREATE FUNCTION app.permitted_organization_ids(asked text) RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (
    select coalesce(array_agg(m.organization_id), '{}')
    from app.member m join app.organization o on o.organization_id = m.organization_id
    where m.uid = (select app.uid()) and app.may(m, o, asked)
  );
end
$$;

ALTER FUNCTION app.permitted_organization_ids(asked text) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.permitted_organization_ids(asked text) IS 'Every organization in which the bound user''s role has that permission.';

CREATE FUNCTION app.post_mail(message uuid, of_kind text, to_address text, of_seed uuid, at timestamp with time zone, until timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
begin
  insert into app.mail_budget as b (uid, since, messages) values (me, at, 1)
  on conflict (uid) do update
    set (since, messages) = (
      select case when over then at else b.since end, case when over then 1 else b.messages + 1 end
      from (values (b.since <= at - interval '1 hour')) as hour (over)
    )
    where b.messages < 5 or b.since <= at - interval '1 hour';
  if not found then
    return (
      select greatest(1, ceil(extract(epoch from b.since + interval '1 hour' - at)))::integer
      from app.mail_budget b where b.uid = me
    );
  end if;
  if not app.outbox_has_room(at) then
    raise exception 'the outbox is full' using errcode = '53000';
  end if;
  insert into app.outbox (uid, message_id, kind, recipient, seed, written_at, good_until, due_at)
  values (me, message, of_kind, to_address, of_seed, at, until, at);
  return null;
end
$$;

ALTER FUNCTION app.post_mail(message uuid, of_kind text, to_address text, of_seed uuid, at timestamp with time zone, until timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.post_mail(message uuid, of_kind text, to_address text, of_seed uuid, at timestamp with time zone, until timestamp with time zone) IS 'Writes a message of the bound user; instead, the seconds to wait where five were written within the hour.';

CREATE FUNCTION app.post_password_resets(at timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  asked record;
  holder record;
  posted integer := 0;
  is_mailed boolean;
begin
  perform set_config('app.delivering', at::text, true);
  delete from app.password_reset where asked_at <= at - interval '1 hour';
  for asked in
    select * from app.password_reset
    where state = 'waiting' and asked_at <= at
    order by asked_at limit 100
    for update skip locked
  loop
    perform set_config('app.addressed', lower(asked.address), true);
    select uid, address into holder from app.email_claim where mailbox = lower(asked.address);
    is_mailed := holder.uid is not null and asked.good_until > at and 5 > (
      select count(*) from app.password_reset
      where lower(address) = lower(asked.address) and state in ('mailed', 'spent') and asked_at > at - interval '1 hour'
    );
    if is_mailed then
      insert into app.outbox (uid, message_id, kind, recipient, seed, written_at, good_until, due_at)
      values (holder.uid, asked.reset_id, 'passwordReset', holder.address, asked.seed, at, asked.good_until, at);
    end if;
    update app.password_reset set state = case when is_mailed then 'mailed' else 'passed over' end
    where reset_id = asked.reset_id;
    posted := posted + 1;
  end loop;
  perform set_config('app.addressed', '', true);
  return posted;
end
$$;

ALTER FUNCTION app.post_password_resets(at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.post_password_resets(at timestamp with time zone) IS 'Mails the codes of forgotten passwords to those whose the address is, at most five within an hour to each. How many were looked at: up to a hundred.';

CREATE FUNCTION app.project_favorite_patterns() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
  favorites constant text[] := app.favorite_patterns(me);
begin
  if exists (
    select from app.standing where uid = me and period = 'all-time' and favorite_patterns is distinct from favorites
  ) then
    -- The person before their standings, as whoever writes these does.
    perform from app.user where uid = me for no key update;
    update app.standing set favorite_patterns = favorites where uid = me and period = 'all-time';
  end if;
  return null;
end
$$;

ALTER FUNCTION app.project_favorite_patterns() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.project_favorite_patterns() IS 'Keeps the favourites of the bound user''s standing of all time, whichever of the two is written first.';

CREATE FUNCTION app.project_on_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if new.uid is distinct from app.uid() then
    raise exception 'only the bound user can be projected' using errcode = 'insufficient_privilege';
  end if;
  perform app.project_standings();
  return null;
end
$$;

ALTER FUNCTION app.project_on_change() OWNER TO breathmaster_owner;

CREATE FUNCTION app.project_standings() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me app.user;
  on_global boolean;
  on_company boolean;
begin
  -- Ranks become history from what the boards have: before this, or of what this leaves.
  perform pg_advisory_xact_lock_shared(hashtextextended('app.season history', 0));
  -- Locked, so that what the person agrees to doesn't change meanwhile; their
  -- sync, their change of mind and their joining take turns.
  select * into strict me from app.user where uid = (select app.uid()) for no key update;
  on_global := app.is_on_global_board(me);
  on_company := app.is_on_company_boards(me);

  update app.standing
  set with_friends = me.share_progress and me.friends_board, streak_shown = me.share_streaks
  where uid = me.uid
    and (with_friends, streak_shown) is distinct from (me.share_progress and me.friends_board, me.share_streaks);

  if on_global and me.anonymized_display then
    insert into app.pseudonym (uid, period)
    select me.uid, period from app.standing where uid = me.uid and period <> 'all-time'
    union
    select me.uid, period from app.global_season_rank where uid = me.uid
    on conflict do nothing;
  end if;

  delete from app.global_standing g
  where g.uid = me.uid
    and not (on_global and exists (select from app.standing s where s.uid = me.uid and s.period = g.period));
  if on_global then
    insert into app.global_standing as g
      (period, uid, alias, display_name, avatar_url, stats_shown, weekly_xp, weekly_xp_at, weekly_xp_before,
        weekly_streak, weekly_streak_at, weekly_streak_before)
    select s.period, s.uid, p.alias,
      case when p.alias is null then me.display_name else app.pseudonym_name(p.alias) end,
      case when p.alias is null then me.avatar_url end,
      me.stats_sharing <> 'minimal', s.weekly_xp, s.last_session_at, s.weekly_xp_before,
      case when me.share_streaks then s.weekly_streak end, case when me.share_streaks then s.streak_at end,
      case when me.share_streaks then s.weekly_streak_before end
    from app.standing s
      left join app.pseudonym p on p.uid = s.uid and p.period = s.period and me.anonymized_display
    where s.uid = me.uid and s.period <> 'all-time'
    on conflict (period, uid) do update
      set (alias, display_name, avatar_url, stats_shown, weekly_xp, weekly_xp_at, weekly_xp_before,
          weekly_streak, weekly_streak_at, weekly_streak_before)
        = (excluded.alias, excluded.display_name, excluded.avatar_url, excluded.stats_shown, excluded.weekly_xp,
          excluded.weekly_xp_at, excluded.weekly_xp_before, excluded.weekly_streak, excluded.weekly_streak_at,
          excluded.weekly_streak_before);
  end if;
  update app.global_season_rank r
  set alias = p.alias,
    display_name = case when p.alias is null then me.display_name else app.pseudonym_name(p.alias) end,
    avatar_url = case when p.alias is null then me.avatar_url end,
    shown = on_global and (r.metric <> 'weekly_streak' or me.share_streaks)
  from app.global_season_rank same
    left join app.pseudonym p on p.uid = same.uid and p.period = same.period and me.anonymized_display
  where same.uid = me.uid and r.uid = same.uid and r.period = same.period and r.metric = same.metric;

  delete from app.global_total where uid = me.uid;
  insert into app.global_total (uid, total_xp, longest_streak, total_sessions)
  select s.uid, s.total_xp, case when me.share_streaks then s.longest_streak end, s.total_sessions
  from app.standing s
  where s.uid = me.uid and s.period = 'all-time' and app.shows_totals_globally(me);

  delete from app.company_standing c
  where c.uid = me.uid
    and not (on_company and exists (select from app.standing s where s.uid = me.uid and s.period = c.period));
  if on_company then
    insert into app.company_standing as c
      (organization_id, period, uid, display_name, avatar_url, real_name, weekly_minutes, weekly_minutes_at,
        weekly_minutes_before, weekly_consistency, weekly_consistency_at, weekly_consistency_before)
    select m.organization_id, s.period, s.uid, me.display_name, me.avatar_url, case when me.show_real_name then me.real_name end,
      s.weekly_minutes, s.last_session_at, s.weekly_minutes_before,
      s.practised_days / 7.0, s.last_day_at, s.practised_days_before / 7.0
    from app.standing s
      cross join app.member m
    where s.uid = me.uid and m.uid = me.uid and s.period <> 'all-time'
    -- Someone who is leaving in this moment has left before this looks.
    for key share of m
    on conflict (organization_id, period, uid) do update
      set (display_name, avatar_url, real_name, weekly_minutes, weekly_minutes_at, weekly_minutes_before,
          weekly_consistency, weekly_consistency_at, weekly_consistency_before)
        = (excluded.display_name, excluded.avatar_url, excluded.real_name, excluded.weekly_minutes,
          excluded.weekly_minutes_at, excluded.weekly_minutes_before, excluded.weekly_consistency,
          excluded.weekly_consistency_at, excluded.weekly_consistency_before);
  end if;
  update app.company_season_rank
  set display_name = me.display_name, avatar_url = me.avatar_url,
    real_name = case when me.show_real_name then me.real_name end, shown = on_company
  where uid = me.uid;
end
$$;

ALTER FUNCTION app.project_standings() OWNER TO breathmaster_owner;

CREATE FUNCTION app.prove_domain(of_organization uuid, claimed text, seen text[], origin app.origin) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  claim app.domain_claim;
begin
  perform app.begin_change(of_organization, 'domains.manage');
  select * into claim from app.domain_claim where organization_id = of_organization and domain = claimed;
  if not found then
    raise exception 'no such claim' using errcode = 'BM404';
  end if;
  if claim.token = any (seen) then
    update app.domain_claim
    set proved_at = coalesce(proved_at, origin.happened_at), lost_at = null, checked_at = origin.happened_at,
      due_at = origin.happened_at + interval '1 day'
    where organization_id = of_organization and domain = claimed;
    if claim.proved_at is null then
      perform app.record_organization_event(of_organization, 'domain.proved', 'domain:' || claimed, null, null, origin);
    elsif claim.lost_at is not null then
      perform app.record_organization_event(of_organization, 'domain.found', 'domain:' || claimed, null, null, origin);
    end if;
    return true;
  end if;
  -- One that is proved is given its days by the job, and not ended by a look in between.
  if claim.proved_at is null then
    update app.domain_claim set checked_at = origin.happened_at
    where organization_id = of_organization and domain = claimed;
  end if;
  return claim.token is null;
end
$$;

ALTER FUNCTION app.prove_domain(of_organization uuid, claimed text, seen text[], origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.prove_domain(of_organization uuid, claimed text, seen text[], origin app.origin) IS 'Whether the tokens that were seen at the domain prove the claim. Raises domain_claim_taken where another company''s proof still stands.';

CREATE FUNCTION app.provisioned_domains() RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (
    select coalesce(array_agg(domain), '{}') from app.domain_claim
    where organization_id = (select app.followed_organization_id()) and proved_at is not null
  );
end
$$;

ALTER FUNCTION app.provisioned_domains() OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.provisioned_domains() IS 'The domains in which the word of the bound company''s directory counts.';

CREATE FUNCTION app.pseudonym_name(alias uuid) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select format('%s %s #%s',
    (array['Quiet', 'Calm', 'Gentle', 'Still', 'Soft', 'Slow', 'Clear', 'Bright', 'Warm', 'Cool', 'Deep', 'Light', 'Mild', 'Kind',
      'Early', 'Late', 'Silver', 'Golden', 'Green', 'Blue', 'Amber', 'Misty', 'Sunny', 'Breezy', 'Mellow', 'Steady', 'Patient',
      'Open', 'Round', 'Tall', 'Small', 'Wide'])[1 + get_byte(uuid_send(alias), 0) % 32],
    (array['Cedar', 'Birch', 'Maple', 'Willow', 'Alder', 'Aspen', 'Hazel', 'Rowan', 'Juniper', 'Laurel', 'Fern', 'Moss', 'Clover',
      'Heather', 'Lotus', 'River', 'Brook', 'Lake', 'Meadow', 'Harbor', 'Island', 'Valley', 'Canyon', 'Dune', 'Cloud', 'Breeze',
      'Dawn', 'Dusk', 'Moon', 'Heron', 'Otter', 'Finch'])[1 + get_byte(uuid_send(alias), 1) % 32],
    lpad(((get_byte(uuid_send(alias), 2) * 256 + get_byte(uuid_send(alias), 3)) % 10000)::text, 4, '0'));
$$;

ALTER FUNCTION app.pseudonym_name(alias uuid) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.pseudonym_name(alias uuid) IS 'Such as "Quiet Cedar #1234".';

CREATE FUNCTION app.publish_standings(changed text[], ended text[], periods text[], weekly_xps integer[], weekly_streaks integer[], weekly_minuteses integer[], practised_dayses integer[], total_xps integer[], longest_streaks integer[], total_sessionses integer[], last_session_ats timestamp with time zone[], last_day_ats timestamp with time zone[], streak_ats timestamp with time zone[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me app.user;
  closed text[];
begin
  -- Either this is done before a week closes, or it finds it closed.
  perform pg_advisory_xact_lock_shared(hashtextextended('app.season', 0));
  -- Locked, so that what the person agrees to doesn't change meanwhile.
  select * into strict me from app.user where uid = (select app.uid()) for no key update;

  closed := array(
    select period from app.season
    where period = any (periods || coalesce(changed, array(select s.period from app.standing s where s.uid = me.uid)))
  );

  -- Null is all there are.
  if changed is null or changed && array(select unnest(changed) except select unnest(periods)) then
    delete from app.standing s
    where s.uid = me.uid and (changed is null or s.period = any (changed)) and s.period <> all (periods || closed);
    delete from app.global_standing g
    where g.uid = me.uid and (changed is null or g.period = any (changed)) and g.period <> all (periods || closed);
    delete from app.company_standing c
    where c.uid = me.uid and (changed is null or c.period = any (changed)) and c.period <> all (periods || closed);
    delete from app.global_total where uid = me.uid and 'all-time' <> all (periods);
  end if;

  if app.is_on_global_board(me) and me.anonymized_display then
    insert into app.pseudonym (uid, period)
    select me.uid, unnest(periods) except select me.uid, unnest(closed || 'all-time'::text)
    on conflict do nothing;
  end if;

  -- The projections are of what this writes, in one statement with it.
  with published as (
    insert into app.standing as s (uid, period, weekly_xp, weekly_streak, weekly_minutes, practised_days, total_xp,
      longest_streak, total_sessions, last_session_at, last_day_at, streak_at, with_friends, streak_shown,
      weekly_xp_before, weekly_streak_before, weekly_minutes_before, practised_days_before)
    select me.uid, row.*, me.share_progress and me.friends_board, me.share_streaks,
      late.nothing, late.nothing, late.nothing, late.nothing
    from unnest(periods, weekly_xps, weekly_streaks, weekly_minuteses, practised_dayses, total_xps, longest_streaks,
        total_sessionses, last_session_ats, last_day_ats, streak_ats) as row (period)
      -- Who had not practised in a week that has ended comes from nothing.
      cross join lateral (select case when row.period = any (ended) then 0 end as nothing) as late
    where row.period <> all (closed)
    on conflict (uid, period) do update
      set (weekly_xp, weekly_streak, weekly_minutes, practised_days, total_xp, longest_streak, total_sessions,
          last_session_at, last_day_at, streak_at, weekly_xp_before, weekly_streak_before, weekly_minutes_before,
          practised_days_before)
        = (excluded.weekly_xp, excluded.weekly_streak, excluded.weekly_minutes, excluded.practised_days,
          excluded.total_xp, excluded.longest_streak, excluded.total_sessions, excluded.last_session_at,
          excluded.last_day_at, excluded.streak_at,
          coalesce(s.weekly_xp_before, case when excluded.period = any (ended) then s.weekly_xp end),
          coalesce(s.weekly_streak_before, case when excluded.period = any (ended) then s.weekly_streak end),
          coalesce(s.weekly_minutes_before, case when excluded.period = any (ended) then s.weekly_minutes end),
          coalesce(s.practised_days_before, case when excluded.period = any (ended) then s.practised_days end))
    returning s.*
  ), global as (
    insert into app.global_standing
      (period, uid, alias, display_name, avatar_url, stats_shown, weekly_xp, weekly_xp_at, weekly_xp_before,
        weekly_streak, weekly_streak_at, weekly_streak_before)
    select s.period, s.uid, p.alias,
      case when p.alias is null then me.display_name else app.pseudonym_name(p.alias) end,
      case when p.alias is null then me.avatar_url end,
      me.stats_sharing <> 'minimal', s.weekly_xp, s.last_session_at, s.weekly_xp_before,
      case when me.share_streaks then s.weekly_streak end, case when me.share_streaks then s.streak_at end,
      case when me.share_streaks then s.weekly_streak_before end
    from published s
      left join app.pseudonym p on me.anonymized_display and p.uid = s.uid and p.period = s.period
    where app.is_on_global_board(me) and s.period <> 'all-time'
    on conflict (period, uid) do update
      set (weekly_xp, weekly_xp_at, weekly_xp_before, weekly_streak, weekly_streak_at, weekly_streak_before)
        = (excluded.weekly_xp, excluded.weekly_xp_at, excluded.weekly_xp_before, excluded.weekly_streak,
          excluded.weekly_streak_at, excluded.weekly_streak_before)
  ), total as (
    insert into app.global_total (uid, total_xp, longest_streak, total_sessions)
    select s.uid, s.total_xp, case when me.share_streaks then s.longest_streak end, s.total_sessions
    from published s
    where app.shows_totals_globally(me) and s.period = 'all-time'
    on conflict (uid) do update
      set (total_xp, longest_streak, total_sessions) = (excluded.total_xp, excluded.longest_streak, excluded.total_sessions)
  )
  insert into app.company_standing as c
    (organization_id, period, uid, display_name, avatar_url, real_name, weekly_minutes, weekly_minutes_at,
      weekly_minutes_before, weekly_consistency, weekly_consistency_at, weekly_consistency_before)
  select m.organization_id, s.period, s.uid, me.display_name, me.avatar_url, case when me.show_real_name then me.real_name end,
    s.weekly_minutes, s.last_session_at, s.weekly_minutes_before,
    s.practised_days / 7.0, s.last_day_at, s.practised_days_before / 7.0
  from published s
    cross join app.member m
  where app.is_on_company_boards(me) and m.uid = me.uid and s.period <> 'all-time'
  -- Someone who is leaving in this moment has left before this looks.
  for key share of m
  on conflict (organization_id, period, uid) do update
    set (weekly_minutes, weekly_minutes_at, weekly_minutes_before, weekly_consistency, weekly_consistency_at,
        weekly_consistency_before)
      = (excluded.weekly_minutes, excluded.weekly_minutes_at, excluded.weekly_minutes_before, excluded.weekly_consistency,
        excluded.weekly_consistency_at, excluded.weekly_consistency_before);
end
$$;

ALTER FUNCTION app.publish_standings(changed text[], ended text[], periods text[], weekly_xps integer[], weekly_streaks integer[], weekly_minuteses integer[], practised_dayses integer[], total_xps integer[], longest_streaks integer[], total_sessionses integer[], last_session_ats timestamp with time zone[], last_day_ats timestamp with time zone[], streak_ats timestamp with time zone[]) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.publish_standings(changed text[], ended text[], periods text[], weekly_xps integer[], weekly_streaks integer[], weekly_minuteses integer[], practised_dayses integer[], total_xps integer[], longest_streaks integer[], total_sessionses integer[], last_session_ats timestamp with time zone[], last_day_ats timestamp with time zone[], streak_ats timestamp with time zone[]) IS 'The bound user''s standings of some periods; those of the changed ones without numbers go, of all where changed is null. A closed week stays as it is; of one that has ended, what it was then is kept.';

CREATE FUNCTION app.recheck_domain(of_organization uuid, held text, seen text[], origin app.origin) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  claim app.domain_claim;
  -- Before those among them are gone who joined by that domain.
  answerable uuid[];
  ended integer;
begin
  perform app.bind_organization(of_organization);
  select * into claim from app.domain_claim
  where organization_id = of_organization and domain = held and proved_at is not null and token is not null;
  if not found then
    return 'gone';
  end if;
  if seen is null then
    update app.domain_claim set due_at = origin.happened_at + interval '1 hour'
    where organization_id = of_organization and domain = held;
    return 'unanswered';
  end if;
  if claim.token = any (seen) then
    update app.domain_claim
    set checked_at = origin.happened_at, due_at = origin.happened_at + interval '1 day', lost_at = null
    where organization_id = of_organization and domain = held;
    if claim.lost_at is not null then
      perform app.record_organization_event(of_organization, 'domain.found', 'domain:' || held, null, null, origin, 'system');
    end if;
    return 'proved';
  end if;
  answerable := app.administrators(of_organization, origin.happened_at);
  if claim.lost_at <= origin.happened_at - interval '7 days' then
    delete from app.domain_claim where organization_id = of_organization and domain = held;
    ended := app.end_memberships_by(of_organization, held, origin.happened_at);
    perform app.mail_about_domain(answerable, 'domainLapsed', held, origin.happened_at);
    perform app.record_organization_event(of_organization, 'domain.lapsed', 'domain:' || held,
      jsonb_build_object('provedAt', claim.proved_at, 'lostAt', claim.lost_at),
      jsonb_build_object('membershipsEnded', ended), origin, 'system');
    return 'lapsed';
  end if;
  update app.domain_claim
  set checked_at = origin.happened_at, due_at = origin.happened_at + interval '1 day',
    lost_at = coalesce(claim.lost_at, origin.happened_at)
  where organization_id = of_organization and domain = held;
  if claim.lost_at is null then
    perform app.mail_about_domain(answerable, 'domainLost', held, origin.happened_at);
    perform app.record_organization_event(of_organization, 'domain.lost', 'domain:' || held, null,
      jsonb_build_object('lapsesAt', origin.happened_at + interval '7 days'), origin, 'system');
  end if;
  return 'lost';
end
$$;

ALTER FUNCTION app.recheck_domain(of_organization uuid, held text, seen text[], origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.recheck_domain(of_organization uuid, held text, seen text[], origin app.origin) IS 'What became of a proved claim: proved, lost for less than seven days, lapsed with the memberships that hang on it, unanswered, or gone meanwhile. Owners and admins are mailed once when it is lost, and once when it lapses.';

CREATE FUNCTION app.record_by_key(of_organization uuid, done text, done_to text, old jsonb, new jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  person constant text := coalesce(current_setting('app.uid', true), '');
begin
  if current_setting('app.key_organization_id', true) = of_organization::text
    and coalesce(current_setting('app.key_origin', true), '') <> '' then
    -- For that moment as nobody: unbound, nothing of a company can be written.
    perform set_config('app.uid', '00000000-0000-0000-0000-000000000000', true);
    perform app.record_organization_event(of_organization, done, done_to, old, new,
      current_setting('app.key_origin')::app.origin, current_setting('app.key_actor'));
    perform set_config('app.uid', person, true);
  end if;
end
$$;

ALTER FUNCTION app.record_by_key(of_organization uuid, done text, done_to text, old jsonb, new jsonb) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.record_by_key(of_organization uuid, done text, done_to text, old jsonb, new jsonb) IS 'Adds a line to the record of the company whose key the transaction came by, in that key''s name. Nothing where it came by none, as when the company itself goes.';

CREATE FUNCTION app.record_directory_group() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  team constant text := 'directory-group:' || coalesce(new.directory_group_id, old.directory_group_id);
  old_entry jsonb;
  new_entry jsonb;
  members jsonb;
begin
  if tg_op <> 'INSERT' then
    old_entry := jsonb_strip_nulls(jsonb_build_object('displayName', left(old.display_name, 120), 'externalId', left(old.external_id, 120)));
  end if;
  if tg_op = 'DELETE' then
    perform app.record_by_key(old.organization_id, 'directory-group.deleted', team, old_entry, null);
    return null;
  end if;
  new_entry := jsonb_strip_nulls(jsonb_build_object('displayName', left(new.display_name, 120), 'externalId', left(new.external_id, 120)));
  if tg_op = 'INSERT' then
    perform app.record_by_key(new.organization_id, 'directory-group.created', team, null, new_entry);
  elsif old_entry <> new_entry then
    perform app.record_by_key(new.organization_id,
      case when old.display_name <> new.display_name then 'directory-group.renamed' else 'directory-group.changed' end,
      team, old_entry, new_entry);
  end if;
  members := app.changed_group_members(new.directory_group_id);
  if members is not null then
    perform app.record_by_key(new.organization_id, 'directory-group.members-changed', team, null, members);
    perform set_config('app.group_members_changed', (
      select coalesce(jsonb_agg(c.change), '[]')
      from jsonb_array_elements(nullif(current_setting('app.group_members_changed', true), '')::jsonb) as c (change)
      where c.change ->> 0 <> new.directory_group_id::text
    )::text, true);
  end if;
  return null;
end
$$;

ALTER FUNCTION app.record_directory_group() OWNER TO breathmaster_owner;

CREATE FUNCTION app.record_directory_user() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  old_entry jsonb;
  new_entry jsonb;
begin
  -- What a directory sends mostly is what there is.
  if tg_op = 'UPDATE' and
    (old.user_name, old.external_id, old.display_name, old.formatted_name, old.family_name, old.given_name, old.emails, old.active)
    is not distinct from
    (new.user_name, new.external_id, new.display_name, new.formatted_name, new.family_name, new.given_name, new.emails, new.active)
  then
    return null;
  end if;
  if tg_op <> 'INSERT' then
    old_entry := app.directory_entry(old);
  end if;
  if tg_op <> 'DELETE' then
    new_entry := app.directory_entry(new);
  end if;
  if tg_op <> 'UPDATE' then
    perform app.record_by_key(coalesce(new.organization_id, old.organization_id),
      case tg_op when 'INSERT' then 'directory-user.created' else 'directory-user.deleted' end,
      'directory-user:' || coalesce(new.directory_user_id, old.directory_user_id), old_entry, new_entry);
    return null;
  end if;
  perform app.record_by_key(new.organization_id,
    case when coalesce(old.active, false) = coalesce(new.active, false) then 'directory-user.changed'
      when new.active then 'directory-user.activated' else 'directory-user.deactivated' end,
    'directory-user:' || new.directory_user_id,
    (select jsonb_object_agg(key, value) from jsonb_each(old_entry) where value is distinct from new_entry -> key),
    (select jsonb_object_agg(key, value) from jsonb_each(new_entry) where value is distinct from old_entry -> key));
  return null;
end
$$;

ALTER FUNCTION app.record_directory_user() OWNER TO breathmaster_owner;

CREATE FUNCTION app.record_email(of_uid uuid, of_address text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform app.bind(of_uid);
  if exists (select from app.email_claim where uid = of_uid and lower(address) = lower(of_address)) then
    return;
  end if;
  insert into app.email_claim (uid, address) values (of_uid, of_address);
end
$$;

ALTER FUNCTION app.record_email(of_uid uuid, of_address text) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.record_email(of_uid uuid, of_address text) IS 'An address that the operator has verified by other means.';

CREATE FUNCTION app.record_organization_event(of_organization uuid, done text, done_to text, old jsonb, new jsonb, origin app.origin, by_actor text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  bound constant text := coalesce(current_setting('app.organization_id', true), '');
  head app.organization_event_head;
  event app.organization_event;
begin
  perform set_config('app.organization_id', of_organization::text, true);
  insert into app.organization_event_head (organization_id, last_number, last_hash) values (of_organization, 0, '\x')
  on conflict do nothing;
  select * into head from app.organization_event_head where organization_id = of_organization for update;
  event := row(of_organization, head.last_number + 1, origin.happened_at, coalesce(by_actor, 'user:' || app.uid()), done,
    done_to, old, new, origin.source, origin.request_id, null);
  event.hash := app.organization_event_hash(event, head.last_hash);
  insert into app.organization_event values (event.*);
  update app.organization_event_head set last_number = event.number, last_hash = event.hash
  where organization_id = of_organization;
  perform set_config('app.organization_id', bound, true);
end
$$;

ALTER FUNCTION app.record_organization_event(of_organization uuid, done text, done_to text, old jsonb, new jsonb, origin app.origin, by_actor text) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.record_organization_event(of_organization uuid, done text, done_to text, old jsonb, new jsonb, origin app.origin, by_actor text) IS 'Adds a line to a company''s record, in the transaction of what it tells. For functions that change something of a company, of whichever feature; the actor is the bound user where none is named. Callers have asked before whether that may be done.';

CREATE FUNCTION app.redeem_friend_code(given bytea, OUT friend uuid, OUT state text, OUT retry_after integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
begin
  insert into app.friend_code_attempt as a (uid, since, attempts) values (me, now(), 1)
  on conflict (uid) do update
    set (since, attempts) = (
      select case when over then now() else a.since end, case when over then 1 else a.attempts + 1 end
      from (values (a.since <= now() - interval '1 hour')) as hour (over)
    )
    where a.attempts < 10 or a.since <= now() - interval '1 hour';
  if not found then
    select greatest(1, ceil(extract(epoch from a.since + interval '1 hour' - now())))::integer into retry_after
    from app.friend_code_attempt a where a.uid = me;
    return;
  end if;
  friend := app.friend_code_owner(given);
  if friend = me then
    raise exception 'one''s own code' using errcode = 'BM422', constraint = 'friend_code_own';
  end if;
  if friend is not null then
    state := app.ask_friend(friend, true);
  end if;
end
$$;

ALTER FUNCTION app.redeem_friend_code(given bytea, OUT friend uuid, OUT state text, OUT retry_after integer) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.redeem_friend_code(given bytea, OUT friend uuid, OUT state text, OUT retry_after integer) IS 'Who gave the code away and how the two stand now; no friend where the code is none; the seconds to wait where ten were given within the hour.';

CREATE FUNCTION app.refuse_more_challenges() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if exists (
    select from (select distinct uid from arrived) as who
    where (
      select count(*) from (select from app.daily_challenge c where c.uid = who.uid limit 20001) as kept
    ) > 20000
  ) then
    raise exception 'no room for another challenge' using errcode = 'BM422', constraint = 'challenge_limit_reached';
  end if;
  return null;
end
$$;

ALTER FUNCTION app.refuse_more_challenges() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.refuse_more_challenges() IS 'Raises challenge_limit_reached where somebody would have more than 20000 challenges, from before a clear or since.';

CREATE FUNCTION app.refuse_more_sessions(most integer) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if (select count(*) from (select from app.session where uid = app.uid() limit most + 1) as kept) > most then
    raise exception 'more sessions than a person can have' using errcode = 'BM413';
  end if;
end
$$;

ALTER FUNCTION app.refuse_more_sessions(most integer) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.refuse_more_sessions(most integer) IS 'Raises BM413 where the bound user has more sessions than that, counting or not, from before a clear or since.';

CREATE FUNCTION app.register() RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  created constant uuid := gen_random_uuid();
begin
  perform set_config('app.uid', created::text, true), set_config('app.organization_id', '', true);
  insert into app.user (uid) values (created);
  insert into app.game_state (uid) values (created);
  return created;
end
$$;

ALTER FUNCTION app.register() OWNER TO breathmaster_owner;

CREATE FUNCTION app.release_domain(of_organization uuid, held text, origin app.origin) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  claim app.domain_claim;
  ended integer;
begin
  perform app.begin_change(of_organization, 'domains.manage');
  delete from app.domain_claim where organization_id = of_organization and domain = held returning * into claim;
  if not found then
    return false;
  end if;
  ended := app.end_memberships_by(of_organization, held, origin.happened_at);
  perform app.record_organization_event(of_organization, 'domain.released', 'domain:' || held,
    jsonb_build_object('provedAt', claim.proved_at), jsonb_build_object('membershipsEnded', ended), origin);
  return true;
end
$$;

ALTER FUNCTION app.release_domain(of_organization uuid, held text, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.release_domain(of_organization uuid, held text, origin app.origin) IS 'Gives a domain back, and with it the memberships that hang on it: whether there was a claim. Whoever claims it next, this company too, begins anew.';

CREATE FUNCTION app.remember_leaver() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION app.remember_leaver() OWNER TO breathmaster_worker;

CREATE FUNCTION app.rename_team(of_organization uuid, id uuid, called text, origin app.origin) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  old text;
begin
  perform app.begin_change(of_organization, 'teams.manage');
  select name into old from app.team where organization_id = of_organization and team_id = id;
  if not found then
    raise exception 'no such team' using errcode = 'BM404';
  end if;
  if old <> called then
    update app.team set name = called where organization_id = of_organization and team_id = id;
    perform app.record_organization_event(of_organization, 'team.renamed', 'team:' || id,
      jsonb_build_object('name', old), jsonb_build_object('name', called), origin);
  end if;
end
$$;

ALTER FUNCTION app.rename_team(of_organization uuid, id uuid, called text, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.rename_team(of_organization uuid, id uuid, called text, origin app.origin) IS 'BM404 where there is no such team; other errors as app.require_permission.';

CREATE FUNCTION app.require_agreement() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION app.require_agreement() OWNER TO breathmaster_worker;

CREATE FUNCTION app.require_friend_place(asks boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  place record;
begin
  select * into place from app.friend_places();
  if place.taken >= 500 then
    raise exception 'no room for another friend' using errcode = 'BM409', constraint = 'friend_limit_reached';
  end if;
  if asks and place.asked >= 100 then
    raise exception 'no room for another request' using errcode = 'BM409', constraint = 'friend_request_limit_reached';
  end if;
end
$$;

ALTER FUNCTION app.require_friend_place(asks boolean) OWNER TO breathmaster_owner;

CREATE FUNCTION app.require_owner_may_go(of_organization uuid, who uuid, who_is text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if who_is <> 'owner' then
    return;
  end if;
  if who <> app.uid() then
    perform app.require_permission(of_organization, 'ownership.transfer');
  end if;
  if not app.has_other_owner(of_organization, who) then
    raise exception 'the last owner' using errcode = 'BM409', constraint = 'last_owner';
  end if;
end
$$;

ALTER FUNCTION app.require_owner_may_go(of_organization uuid, who uuid, who_is text) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.require_owner_may_go(of_organization uuid, who uuid, who_is text) IS 'An owner is an owner''s to demote or remove, and not the last one.';

CREATE FUNCTION app.require_permission(of_organization uuid, asked text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if of_organization = any (app.permitted_organization_ids(asked)) then
    return;
  end if;
  if of_organization <> all (app.own_organization_ids()) then
    raise exception 'no organization of this user' using errcode = 'BM404';
  end if;
  perform app.require_recent_sign_in(of_organization);
  raise exception 'that role does not allow it' using errcode = 'BM403', constraint = 'not_permitted';
end
$$;

ALTER FUNCTION app.require_permission(of_organization uuid, asked text) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.require_permission(of_organization uuid, asked text) IS 'Raises BM404 where the bound user is no member, BM403 (not_permitted) where they do not have that permission, and BM403 (sign_in_too_old) where their sign-in is older than the company wants it.';

CREATE FUNCTION app.require_recent_member(of_organization uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  hours integer;
begin
  select o.max_sign_in_age_hours into hours
  from app.member m join app.organization o on o.organization_id = m.organization_id
  where m.organization_id = of_organization and m.uid = (select app.uid());
  if not found then
    raise exception 'not an active member of that organization' using errcode = 'BM404';
  elsif not app.sign_in_is_recent(hours) then
    raise exception 'that sign-in is too old for the organization' using errcode = 'BM403', constraint = 'sign_in_too_old';
  end if;
end
$$;

ALTER FUNCTION app.require_recent_member(of_organization uuid) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.require_recent_member(of_organization uuid) IS 'Raises BM404 where the bound user is no member, and BM403 (sign_in_too_old) where their sign-in is older than the company wants it.';

CREATE FUNCTION app.require_recent_sign_in(of_organization uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  if exists (
    select from app.organization o
    where o.organization_id = of_organization and not app.sign_in_is_recent(o.max_sign_in_age_hours)
  ) then
    raise exception 'that sign-in is too old for the organization' using errcode = 'BM403', constraint = 'sign_in_too_old';
  end if;
end
$$;

ALTER FUNCTION app.require_recent_sign_in(of_organization uuid) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.require_recent_sign_in(of_organization uuid) IS 'Raises BM403 (sign_in_too_old) where the sign-in is older than a company of the bound user wants it.';

CREATE FUNCTION app.restricting_domains() RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (
    select coalesce(array_agg(d.domain), '{}')
    from app.organization o join app.domain_claim d on d.organization_id = o.organization_id
    where o.organization_id = (select app.followed_organization_id()) and o.domain_restricted
      and d.proved_at is not null
  );
end
$$;

ALTER FUNCTION app.restricting_domains() OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.restricting_domains() IS 'The proved domains of the followed company, where its boards are for people of those. None where they are for everybody.';

CREATE FUNCTION app.retry_mail(message uuid, at timestamp with time zone) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  outcome text;
begin
  perform set_config('app.delivering', at::text, true);
  update app.outbox o set dead_at = null, dead_of = null, attempts = 0, due_at = at
  where o.message_id = message and o.dead_at is not null and o.good_until > at;
  if found then
    outcome := 'waiting';
  elsif exists (select from app.outbox o where o.message_id = message and o.dead_at is not null) then
    outcome := 'too late';
  end if;
  perform set_config('app.delivering', '', true);
  return outcome;
end
$$;

ALTER FUNCTION app.retry_mail(message uuid, at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.retry_mail(message uuid, at timestamp with time zone) IS 'Gives a message that was given up to the job again, as if it were new: waiting, or too late where what it says is over; null where there is none.';

CREATE FUNCTION app.revoke_invitation(of_organization uuid, id uuid, origin app.origin) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform app.begin_change(of_organization, 'invitations.manage');
  delete from app.invitation where organization_id = of_organization and invitation_id = id;
  if not found then
    return false;
  end if;
  perform app.record_organization_event(of_organization, 'invitation.revoked', 'invitation:' || id, null, null, origin);
  return true;
end
$$;

ALTER FUNCTION app.revoke_invitation(of_organization uuid, id uuid, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.revoke_invitation(of_organization uuid, id uuid, origin app.origin) IS 'Whether there was one.';

CREATE FUNCTION app.revoke_organization_key(organization uuid, id uuid, origin app.origin) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  revoked app.organization_key;
begin
  perform app.begin_change(organization, 'keys.manage');
  perform set_config('app.key_organization_id', organization::text, true);
  delete from app.organization_key k where k.organization_id = organization and k.key_id = id returning * into revoked;
  perform set_config('app.key_organization_id', '', true);
  if revoked.key_id is not null then
    perform app.record_organization_event(organization, 'key.revoked', 'key:' || id,
      jsonb_strip_nulls(jsonb_build_object('name', revoked.name, 'scopes', revoked.scopes, 'sources', revoked.sources,
        'expiresAt', revoked.expires_at)), null, origin);
  end if;
  return revoked.name;
end
$$;

ALTER FUNCTION app.revoke_organization_key(organization uuid, id uuid, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.revoke_organization_key(organization uuid, id uuid, origin app.origin) IS 'It opens nothing any more: its name, null where there was no such key. Errors as app.require_permission.';

CREATE FUNCTION app.role_in(of_organization uuid, who uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select role from app.member where organization_id = of_organization and uid = who;
$$;

ALTER FUNCTION app.role_in(of_organization uuid, who uuid) OWNER TO breathmaster_boards;

COMMENT ON FUNCTION app.role_in(of_organization uuid, who uuid) IS 'Of a member of an organization whose members the bound user may list; null otherwise.';

CREATE FUNCTION app.settle_account_merge(digest bytea, stays uuid, at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  is_settled boolean;
begin
  perform set_config('app.delivering', at::text, true);
  -- The first who agrees is the one, so that a code that was seen by somebody else changes nothing any more.
  update app.account_merge set (into_uid, agreed_at) = (stays, coalesce(agreed_at, at))
  where code_digest = digest and good_until > at and uid <> stays and coalesce(into_uid, stays) = stays;
  is_settled := found;
  perform set_config('app.delivering', '', true);
  return is_settled;
end
$$;

ALTER FUNCTION app.settle_account_merge(digest bytea, stays uuid, at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.settle_account_merge(digest bytea, stays uuid, at timestamp with time zone) IS 'Whether the account that stays is that one now. Not where the code is nobody''s or its own, or another one has agreed.';

CREATE FUNCTION app.settle_device_request(id uuid, new_state text, at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  is_settled boolean;
begin
  perform set_config('app.delivering', at::text, true);
  update app.device_request set state = new_state
  where request_id = id and good_until > at and state = 'waiting';
  is_settled := found;
  perform set_config('app.delivering', '', true);
  return is_settled;
end
$$;

ALTER FUNCTION app.settle_device_request(id uuid, new_state text, at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.settle_device_request(id uuid, new_state text, at timestamp with time zone) IS 'Whether it waited until now.';

CREATE FUNCTION app.shows_totals_globally(person app."user") RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (app.is_on_global_board(person) AND ((person).stats_sharing = 'detailed'::text) AND (person).show_detailed_stats AND (NOT (person).anonymized_display));

ALTER FUNCTION app.shows_totals_globally(person app."user") OWNER TO breathmaster_owner;

CREATE FUNCTION app.sign_in_is_recent(hours integer) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN ((hours IS NULL) OR COALESCE(((NULLIF(current_setting('app.sign_in_age'::text, true), ''::text))::numeric <= ((hours * 3600))::numeric), true));

ALTER FUNCTION app.sign_in_is_recent(hours integer) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.sign_in_is_recent(hours integer) IS 'Whether the sign-in that the transaction came by, itself or by a token that was made in it, is no older. True for commands of the operator, which come by none.';

CREATE FUNCTION app.spend_device_request(id uuid, shown bytea, at timestamp with time zone, OUT outcome text, OUT approver uuid) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  request record;
begin
  perform set_config('app.delivering', at::text, true);
  select * into request from app.device_request where request_id = id and hash = shown for update;
  if request.request_id is null then
    outcome := 'unknown';
  elsif request.good_until <= at then
    outcome := 'expired';
  elsif request.state = 'denied' then
    outcome := 'denied';
  elsif request.next_poll_at > at then
    update app.device_request
    set poll_seconds = least(poll_seconds + 5, 600), next_poll_at = at + make_interval(secs => least(poll_seconds + 5, 600))
    where request_id = id;
    outcome := 'too often';
  elsif request.state = 'waiting' then
    update app.device_request set next_poll_at = at + make_interval(secs => poll_seconds) where request_id = id;
    outcome := 'waiting';
  else
    delete from app.device_approval where request_id = id returning uid into approver;
    delete from app.device_request where request_id = id;
    -- Whoever said yes may be gone since.
    outcome := case when approver is null then 'unknown' else 'approved' end;
  end if;
  perform set_config('app.delivering', '', true);
end
$$;

ALTER FUNCTION app.spend_device_request(id uuid, shown bytea, at timestamp with time zone, OUT outcome text, OUT approver uuid) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.spend_device_request(id uuid, shown bytea, at timestamp with time zone, OUT outcome text, OUT approver uuid) IS 'What has come of a device''s wish, and who said yes: once.';

CREATE FUNCTION app.spend_nonce(shown bytea, at timestamp with time zone, until timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION app.spend_nonce(shown bytea, at timestamp with time zone, until timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.spend_nonce(shown bytea, at timestamp with time zone, until timestamp with time zone) IS 'Whether it was not spent before.';

CREATE FUNCTION app.spend_password_reset(id uuid, shown_digest bytea, at timestamp with time zone) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  asked record;
begin
  perform set_config('app.delivering', at::text, true);
  update app.password_reset set attempts = attempts + 1
  where reset_id = id and good_until > at and attempts < 5
  returning * into asked;
  if asked.digest = shown_digest and asked.state = 'mailed' then
    -- And with it those that were mailed beside it: the password that they were to replace is gone.
    update app.password_reset set state = 'spent'
    where lower(address) = lower(asked.address) and state in ('waiting', 'mailed');
  else
    asked.address := null;
  end if;
  perform set_config('app.delivering', '', true);
  return asked.address;
end
$$;

ALTER FUNCTION app.spend_password_reset(id uuid, shown_digest bytea, at timestamp with time zone) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.spend_password_reset(id uuid, shown_digest bytea, at timestamp with time zone) IS 'The address that a code was mailed to, once, and null for any other code: each reset takes five.';

CREATE FUNCTION app.suspend_organization(of_organization uuid, closed boolean, origin app.origin) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform app.bind_organization(of_organization);
  update app.organization set suspended_at = case when closed then origin.happened_at end
  where organization_id = of_organization and (suspended_at is not null) <> closed;
  if found then
    perform app.record_organization_event(of_organization,
      case when closed then 'organization.suspended' else 'organization.resumed' end, 'organization', null, null, origin,
      'operator');
    if not closed then
      perform app.greet_directory(of_organization);
    end if;
  end if;
end
$$;

ALTER FUNCTION app.suspend_organization(of_organization uuid, closed boolean, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.suspend_organization(of_organization uuid, closed boolean, origin app.origin) IS 'The operator closes a company, or opens it again. Raises BM404 where there is none.';

CREATE FUNCTION app.take(subjects bytea[], quotas integer[], seconds integer[], at timestamp with time zone, OUT refused integer, OUT retry_after integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  span interval;
  step interval;
begin
  for n in 1 .. cardinality(subjects) loop
    span := make_interval(secs => seconds[n]);
    step := span / quotas[n];
    insert into app.rate_limit as l (subject, free_at) values (subjects[n], at + step)
    on conflict (subject) do update set free_at = greatest(l.free_at, at) + step
      where greatest(l.free_at, at) + step <= at + span;
    if not found then
      select n, greatest(1, ceil(extract(epoch from l.free_at + step - span - at)))
      into refused, retry_after
      from app.rate_limit l where l.subject = subjects[n];
      return;
    end if;
  end loop;
end
$$;

ALTER FUNCTION app.take(subjects bytea[], quotas integer[], seconds integer[], at timestamp with time zone, OUT refused integer, OUT retry_after integer) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.take(subjects bytea[], quotas integer[], seconds integer[], at timestamp with time zone, OUT refused integer, OUT retry_after integer) IS 'Takes one of each quota, in turn: the position of the one that is spent, and the seconds until there is one again. Nulls where there was one of each.';

CREATE FUNCTION app.take_mail(most integer, at timestamp with time zone, lease interval) RETURNS TABLE(uid uuid, message_id uuid, kind text, recipient text, seed uuid, written_at timestamp with time zone, attempts integer, about text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform set_config('app.delivering', at::text, true);
  delete from app.outbox o where o.dead_at <= at - interval '7 days';
  update app.outbox o
  set dead_at = at, dead_of = case when o.good_until <= at then 'too late' else 'too many attempts' end
  where o.dead_at is null and o.due_at <= at and (o.good_until <= at or o.attempts >= 10);
  return query
    update app.outbox o
    set due_at = at + lease, attempts = o.attempts + 1
    from (
      select w.uid, w.message_id from app.outbox w
      where w.dead_at is null and w.due_at <= at
      order by w.due_at
      limit most
      for update skip locked
    ) as taken
    where o.uid = taken.uid and o.message_id = taken.message_id
    returning o.uid, o.message_id, o.kind, o.recipient, o.seed, o.written_at, o.attempts, o.about;
end
$$;

ALTER FUNCTION app.take_mail(most integer, at timestamp with time zone, lease interval) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.take_mail(most integer, at timestamp with time zone, lease interval) IS 'Messages that are due, which nobody else is given until the lease is over. Those that are too late or were tried ten times are given up.';

CREATE FUNCTION app.take_over_account(goes uuid, origin app.origin) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  stays constant uuid := app.uid();
  old_epoch integer;
  new_epoch integer := (select epoch from app.game_state where uid = stays);
  horizon date;
  devices app.device[];
  sessions app.session[];
  appeals app.session_appeal[];
  decisions app.appeal_decision[];
  batches app.sync_batch[];
  friends uuid[];
  blocked uuid[];
  blocked_by uuid[];
  other uuid;
begin
  perform from app.account_merge
  where uid = goes and into_uid = stays and confirmed_at is not null and good_until > origin.happened_at
  for update;
  if not found then
    raise exception 'both have not said yes' using errcode = 'BM404';
  end if;
  -- Who blocks one of the two has done so before this looks, or does it afterwards.
  perform app.take_turns(goes, stays);

  -- As the one that goes: everything is taken along, and the account ends.
  perform set_config('app.uid', goes::text, true);
  perform from app.user where uid = goes for update;
  select epoch, detail_from into old_epoch, horizon from app.game_state where uid = goes;
  devices := array(select d from app.device d where d.uid = goes);
  sessions := array(select s from app.session s where s.uid = goes);
  appeals := array(select a from app.session_appeal a where a.uid = goes);
  decisions := array(select d from app.appeal_decision d where d.uid = goes);
  batches := array(select b from app.sync_batch b where b.uid = goes and b.epoch = old_epoch);
  friends := array(
    select case when f.uid = goes then f.friend_uid else f.uid end from app.friendship f
    where goes in (f.uid, f.friend_uid) and f.accepted_at is not null and stays not in (f.uid, f.friend_uid));
  blocked := array(select b.blocked_uid from app.block b where b.uid = goes and b.blocked_uid <> stays);
  blocked_by := array(select b.uid from app.block b where b.blocked_uid = goes and b.uid <> stays);
  for other in select organization_id from app.member where uid = goes loop
    perform app.end_membership(other, goes, origin);
  end loop;
  perform app.forget_password_resets(array(select c.address from app.email_claim c where c.uid = goes));
  delete from app.user where uid = goes;

  -- As the one that stays, in the later of the two epochs. What it has already, it keeps.
  perform set_config('app.uid', stays::text, true), set_config('app.organization_id', '', true);
  update app.sync_batch set epoch = greatest(old_epoch, new_epoch) where uid = stays and epoch = new_epoch;
  new_epoch := greatest(old_epoch, new_epoch);
  update app.game_state set detail_from = greatest(detail_from, horizon) where uid = stays;
  insert into app.device
  select r.* from unnest(devices) as d
    cross join lateral jsonb_populate_record(d, jsonb_build_object('uid', stays, 'family', null)) as r
  on conflict do nothing;
  -- What was cleared there is of an epoch before the first, so that it is known when a device brings it again.
  insert into app.session
  select r.* from unnest(sessions) as s
    cross join lateral jsonb_populate_record(s, jsonb_build_object('uid', stays, 'taken_over_at', origin.happened_at,
      'epoch', case when s.epoch = old_epoch then new_epoch else 0 end)) as r
  on conflict (uid, device_id, session_id, started_at) do update set pardoned = session.pardoned or excluded.pardoned;
  insert into app.session_appeal
  select r.* from unnest(appeals) as a
    cross join lateral jsonb_populate_record(a, jsonb_build_object('uid', stays)) as r
  on conflict do nothing;
  insert into app.appeal_decision
  select r.* from unnest(decisions) as d
    cross join lateral jsonb_populate_record(d, jsonb_build_object('uid', stays)) as r
  on conflict do nothing;
  -- By what its devices were handed their next claims are measured; nothing is answered the same again.
  insert into app.sync_batch
  select r.* from unnest(batches) as b
    cross join lateral jsonb_populate_record(b, jsonb_build_object(
      'uid', stays, 'batch_id', gen_random_uuid(), 'epoch', new_epoch, 'answer', null)) as r;
  foreach other in array blocked loop
    perform app.block_person(other);
  end loop;
  -- Nobody is rid of a block by becoming another account of theirs. Each is made as the one who wants it, in the place
  -- that the block of the other account has left.
  foreach other in array blocked_by loop
    perform set_config('app.uid', other::text, true);
    perform app.block_person(stays);
  end loop;
  perform set_config('app.uid', stays::text, true);
  insert into app.friendship (uid, friend_uid, asked_by, asked_at)
  select least(stays, them), greatest(stays, them), them, origin.happened_at from unnest(friends) as f (them)
  where not exists (select from app.block b where them in (b.uid, b.blocked_uid))
  limit greatest(0, 100 - (
    select count(*) from app.friendship where accepted_at is null and declined_at is null and asked_by <> stays))
  on conflict do nothing;
end
$$;

ALTER FUNCTION app.take_over_account(goes uuid, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.take_over_account(goes uuid, origin app.origin) IS 'Ends an account that is to end in the bound user''s, and gives that what was practised there: devices, sessions, appeals; its blocks, and those of it. What it adds up to is for the server to write, in the same transaction. Raises BM404 where both have not said yes, and last_owner where a company would be without one.';

CREATE FUNCTION app.take_turns(one uuid, another uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform pg_advisory_xact_lock(hashtextextended('friends of ' || least(one, another), 0));
  perform pg_advisory_xact_lock(hashtextextended('friends of ' || greatest(one, another), 0));
end
$$;

ALTER FUNCTION app.take_turns(one uuid, another uuid) OWNER TO breathmaster_owner;

CREATE FUNCTION app.tally_directory() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION app.tally_directory() OWNER TO breathmaster_worker;

CREATE FUNCTION app.tally_global_standing() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  insert into app.global_tally_change (period, metric, value, people)
  select period, metric, value, sum(people)
  from (values
    (old.period, 'weekly_xp', old.weekly_xp, -1),
    (old.period, 'weekly_streak', old.weekly_streak, -1),
    (new.period, 'weekly_xp', new.weekly_xp, 1),
    (new.period, 'weekly_streak', new.weekly_streak, 1)
  ) as change (period, metric, value, people)
  where value > 0
  group by period, metric, value
  having sum(people) <> 0;
  return null;
end
$$;

ALTER FUNCTION app.tally_global_standing() OWNER TO breathmaster_owner;

CREATE FUNCTION app.team_on_board(week text, asked uuid) RETURNS uuid[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  found_uids uuid[];
begin
  select t.uids into found_uids from app.teams_on_board(week, asked) t;
  if not found then
    raise exception 'no such team on the board' using errcode = 'BM404', constraint = 'team_not_on_board';
  end if;
  return found_uids;
end
$$;

ALTER FUNCTION app.team_on_board(week text, asked uuid) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.team_on_board(week text, asked uuid) IS 'Those members of a team whom the bound user sees on the board of the bound organization. Raises BM404 (team_not_on_board) where there are fewer than five, as where there is no such team.';

CREATE FUNCTION app.teams_on_board(week text, asked uuid DEFAULT NULL::uuid) RETURNS TABLE(team_id uuid, name text, uids uuid[])
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  company constant uuid := (app.own_company_boards())[1];
  is_closed constant boolean := exists (select from app.season where period = week);
  is_final constant boolean := exists (select from app.season where period = week and finalised_at is not null);
  unseen constant uuid[] := app.uids_behind_blocks() || app.company_guests();
begin
  if company is null then
    return;
  end if;
  perform set_config('app.tending', 'infinity', true), set_config('app.closing_season', week, true);
  return query
    with belonging as (
      select m.team_id, m.uid from app.team_member m
      where m.organization_id = company and (asked is null or m.team_id = asked)
      union all
      select g.directory_group_id, m.uid
      from app.directory_group_member g
        join app.member m on m.organization_id = g.organization_id and m.directory_user_id = g.directory_user_id
      where g.organization_id = company and (asked is null or g.directory_group_id = asked)
    ), on_board as (
      select s.uid from app.company_standing s
      where not is_final and s.organization_id = company and s.period = week
        and (not is_closed or exists (
          select from app.company_season c where c.organization_id = company and c.period = week
        ))
      union all
      select r.uid from app.company_season_rank r
      where is_final and r.organization_id = company and r.period = week and r.metric = 'weekly_consistency' and r.shown
    ), large as (
      select b.team_id, array_agg(b.uid) as uids
      from belonging b join on_board s on s.uid = b.uid
      where b.uid <> all (unseen)
      group by b.team_id
      having count(*) >= 5
    )
    select l.team_id, coalesce(t.name, g.display_name), l.uids
    from large l
      left join app.team t on t.organization_id = company and t.team_id = l.team_id
      left join app.directory_group g on g.organization_id = company and g.directory_group_id = l.team_id;
  perform set_config('app.tending', '', true), set_config('app.closing_season', '', true);
end
$$;

ALTER FUNCTION app.teams_on_board(week text, asked uuid) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.teams_on_board(week text, asked uuid) IS 'The teams of the bound organization, or one, with five or more members on its board of a week whom the bound user sees there, and who these are. None where the bound user may not see that board.';

CREATE FUNCTION app.tending() RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('app.tending'::text, true), ''::text))::timestamp with time zone;

ALTER FUNCTION app.tending() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.tending() IS 'The moment at which a job tends to companies: its policies let it see those that were there by then. Null when there is none.';

CREATE FUNCTION app.tended_organization_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (app.tending() IS NOT NULL) THEN (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid ELSE NULL::uuid END;

ALTER FUNCTION app.tended_organization_id() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.tended_organization_id() IS 'The bound organization while a job tends to it, and null otherwise.';

CREATE FUNCTION app.uid_by_email(given text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  found_uid uuid;
begin
  perform set_config('app.addressed', lower(given), true);
  select uid into found_uid from app.email_claim where mailbox = lower(given);
  if found_uid is null then
    -- What the policies of that table ask is asked only where there is a row, and takes longer than all the rest:
    -- a tenth of a millisecond that would tell who is here.
    perform app.provisioned_domains(), app.addressed();
  end if;
  perform set_config('app.addressed', '', true);
  return found_uid;
end
$$;

ALTER FUNCTION app.uid_by_email(given text) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.uid_by_email(given text) IS 'Whose verified address it is. For other functions alone: it tells who is here.';

CREATE FUNCTION app.uid_by_identity(of_issuer text, of_subject text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  found_uid uuid;
begin
  perform set_config('app.identified', of_issuer || ' ' || of_subject, true);
  select uid into found_uid from app.identity where identifier = (select app.identified());
  perform set_config('app.identified', '', true);
  return found_uid;
end
$$;

ALTER FUNCTION app.uid_by_identity(of_issuer text, of_subject text) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.uid_by_identity(of_issuer text, of_subject text) IS 'Whose identity it is. For other functions alone: it tells who is here.';

CREATE FUNCTION app.uids_behind_blocks() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select array(
    select case when b.uid = (select app.uid()) then b.blocked_uid else b.uid end from app.block b
    where (select app.uid()) in (b.uid, b.blocked_uid)
  );
$$;

ALTER FUNCTION app.uids_behind_blocks() OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.uids_behind_blocks() IS 'Those whom the bound user blocked and those who blocked them. For what counts a board as they see it, in functions alone.';

CREATE FUNCTION app.unfinished_seasons(weeks text[]) RETURNS TABLE(week text, closed boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select given, s.period is not null
  from unnest(weeks) as given
    left join app.season s on s.period = given
  where s.finalised_at is null
  order by given;
$$;

ALTER FUNCTION app.unfinished_seasons(weeks text[]) OWNER TO breathmaster_worker;

COMMENT ON FUNCTION app.unfinished_seasons(weeks text[]) IS 'Those of the weeks whose ranks are not history yet, and whether they are closed.';

CREATE FUNCTION app.unfriend(other uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
begin
  perform app.take_turns(me, other);
  -- A request that nobody has said no to. Whom the other removed stays that, so that asking anew is no way around it.
  delete from app.friendship
  where uid = least(me, other) and friend_uid = greatest(me, other)
    and asked_by = me and accepted_at is null and declined_at is null and ended_at is null;
  update app.friendship
  set asked_by = case when accepted_at is null then asked_by else other end,
    accepted_at = null,
    declined_at = coalesce(declined_at, now()),
    withdrawn_at = case
      when accepted_at is not null or asked_by = me then coalesce(withdrawn_at, now())
      else withdrawn_at
    end,
    ended_at = case when accepted_at is null then ended_at else now() end
  where uid = least(me, other) and friend_uid = greatest(me, other);
end
$$;

ALTER FUNCTION app.unfriend(other uuid) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.unfriend(other uuid) IS 'Declines, withdraws or ends, and nobody is told. Who is removed is from then on one who was declined.';

CREATE FUNCTION app.unlink_identity(of_issuer text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION app.unlink_identity(of_issuer text) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.unlink_identity(of_issuer text) IS 'Whether there was one. Raises last_way_in where nothing would be left to come back with: neither a recovery code, nor a password with an address, nor another identity.';

CREATE FUNCTION app.verify_email(shown_address text, shown_digest bytea, at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
  held constant boolean := exists (
    select from app.email_claim where uid = me and lower(address) = lower(shown_address)
  );
  asked record;
begin
  select * into asked from app.email_verification where uid = me and address = shown_address for update;
  if not found then
    -- Asked again after an answer that was lost.
    return held;
  end if;
  if asked.good_until <= at or asked.attempts >= 5 then
    return false;
  end if;
  if asked.digest <> shown_digest then
    update app.email_verification set attempts = attempts + 1 where uid = me and address = shown_address;
    return false;
  end if;
  delete from app.email_verification where uid = me and address = shown_address;
  if not held then
    insert into app.email_claim (uid, address, verified_at) values (me, shown_address, at);
  end if;
  return true;
end
$$;

ALTER FUNCTION app.verify_email(shown_address text, shown_digest bytea, at timestamp with time zone) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.verify_email(shown_address text, shown_digest bytea, at timestamp with time zone) IS 'Makes an address the bound user''s by the code that was mailed there. Each code takes five wrong tries and one right one. Raises email_claim_taken where the address is somebody else''s: only who reads its mail gets there.';

CREATE FUNCTION app.verify_organization_events(of_organization uuid, OUT events bigint, OUT wrong bigint, OUT why text, OUT last_number bigint, OUT last_hash bytea) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  head app.organization_event_head;
begin
  perform app.bind_organization(of_organization);
  select * into head from app.organization_event_head where organization_id = of_organization;
  last_number := coalesce(head.last_number, 0);
  last_hash := coalesce(head.last_hash, '\x');
  select count(*) into events from app.organization_event where organization_id = of_organization;
  select found.number, found.why into wrong, why
  from (
    select e.number, case
        when e.number <> lag(e.number, 1, coalesce(head.forgotten_number, 0)) over chain + 1 then 'the line before is missing'
        when e.hash <> app.organization_event_hash(e, lag(e.hash, 1, coalesce(head.forgotten_hash, '\x')) over chain)
          then 'the line is not what was written'
      end as why
    from app.organization_event e
    where e.organization_id = of_organization
    window chain as (order by e.number)
  ) as found
  where found.why is not null
  order by found.number
  limit 1;
  if wrong is null and not exists (
    select from app.organization_event e
    where e.organization_id = of_organization and e.number = head.last_number and e.hash = head.last_hash
  ) and last_number > coalesce(head.forgotten_number, 0) then
    wrong := last_number;
    why := 'the last line is missing, or is not what was written';
  end if;
end
$$;

ALTER FUNCTION app.verify_organization_events(of_organization uuid, OUT events bigint, OUT wrong bigint, OUT why text, OUT last_number bigint, OUT last_hash bytea) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.verify_organization_events(of_organization uuid, OUT events bigint, OUT wrong bigint, OUT why text, OUT last_number bigint, OUT last_hash bytea) IS 'How many lines a company''s record has, and the first that is not what was written. Nothing is wrong where that is null. The last number and hash, noted elsewhere, tell later that not even the whole was written anew.';

CREATE FUNCTION app.withdraw_ownership_offer(of_organization uuid, origin app.origin) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  me constant uuid := app.uid();
  offer app.ownership_offer;
begin
  if of_organization <> all (app.own_organization_ids()) then
    return false;
  end if;
  perform set_config('app.organization_id', of_organization::text, true);
  delete from app.ownership_offer where organization_id = of_organization and (uid = me or offered_by = me)
  returning * into offer;
  if not found then
    return false;
  end if;
  perform app.record_organization_event(of_organization,
    case when offer.uid = me then 'ownership.declined' else 'ownership.withdrawn' end, 'user:' || offer.uid, null, null, origin);
  return true;
end
$$;

ALTER FUNCTION app.withdraw_ownership_offer(of_organization uuid, origin app.origin) OWNER TO breathmaster_owner;

COMMENT ON FUNCTION app.withdraw_ownership_offer(of_organization uuid, origin app.origin) IS 'A no, by the one who was asked, or the end of it by the one who asked: whether there was an offer.';

CREATE TABLE app.access_token (
    uid uuid NOT NULL,
    token_id uuid NOT NULL,
    hash bytea NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_on date,
    sign_in_began_at timestamp with time zone,
    CONSTRAINT access_token_expiry_invalid CHECK (((expires_at > created_at) AND (expires_at <= (created_at + '366 days'::interval)))),
    CONSTRAINT access_token_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT access_token_name_invalid CHECK ((((char_length(name) >= 1) AND (char_length(name) <= 80)) AND (name IS NORMALIZED) AND (name !~ '[[:cntrl:]]'::text) AND (name ~ '[^[:space:]]'::text))),
    CONSTRAINT access_token_scopes_check CHECK (((cardinality(scopes) >= 1) AND (cardinality(scopes) <= 32)))
);

ALTER TABLE ONLY app.access_token FORCE ROW LEVEL SECURITY;

ALTER TABLE app.access_token OWNER TO breathmaster_owner;

COMMENT ON TABLE app.access_token IS 'What a person lets a program of their own do. The token is kept as SHA-256 only, and even that the server cannot read.';

COMMENT ON COLUMN app.access_token.used_on IS 'The last day, in UTC, on which it opened anything. Written once a day.';

COMMENT ON COLUMN app.access_token.sign_in_began_at IS 'When the sign-in began by which the token was made: a company that wants a recent one isn''t got around by a token.';

CREATE TABLE app.account_merge (
    uid uuid NOT NULL,
    code_digest bytea NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    good_until timestamp with time zone NOT NULL,
    into_uid uuid,
    agreed_at timestamp with time zone,
    confirmed_at timestamp with time zone,
    CONSTRAINT account_merge_agreed CHECK (((into_uid IS NULL) = (agreed_at IS NULL))),
    CONSTRAINT account_merge_code_digest_check CHECK ((octet_length(code_digest) = 32)),
    CONSTRAINT account_merge_of_two CHECK ((into_uid <> uid))
);

ALTER TABLE ONLY app.account_merge FORCE ROW LEVEL SECURITY;

ALTER TABLE app.account_merge OWNER TO breathmaster_owner;

COMMENT ON TABLE app.account_merge IS 'An account that is to end in another one of the same person, for as long as its code is good.';

COMMENT ON COLUMN app.account_merge.code_digest IS 'Keyed, of the code that the account that stays names.';

COMMENT ON COLUMN app.account_merge.into_uid IS 'The account that stays, once it has agreed.';

COMMENT ON COLUMN app.account_merge.confirmed_at IS 'The word of the account that ends, which is the last.';

CREATE TABLE app.appeal_decision (
    uid uuid NOT NULL,
    device_id text NOT NULL,
    session_id text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    accepted boolean NOT NULL,
    decided_by text NOT NULL,
    note text,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT appeal_decision_decided_by_check CHECK (((char_length(decided_by) >= 1) AND (char_length(decided_by) <= 100))),
    CONSTRAINT appeal_decision_note_check CHECK ((char_length(note) <= 1000))
);

ALTER TABLE ONLY app.appeal_decision FORCE ROW LEVEL SECURITY;

ALTER TABLE app.appeal_decision OWNER TO breathmaster_owner;

COMMENT ON TABLE app.appeal_decision IS 'What an operator decided, once for each appeal. The server can only read it.';

COMMENT ON COLUMN app.appeal_decision.decided_by IS 'The operator, as they gave their name.';

CREATE TABLE app.audit_event (
    uid uuid NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    event_id uuid DEFAULT gen_random_uuid() NOT NULL,
    action text NOT NULL,
    request_id uuid NOT NULL,
    source text NOT NULL,
    detail text,
    CONSTRAINT audit_event_action_check CHECK (((char_length(action) >= 1) AND (char_length(action) <= 60))),
    CONSTRAINT audit_event_detail_check CHECK (((char_length(detail) >= 1) AND (char_length(detail) <= 1000))),
    CONSTRAINT audit_event_source_check CHECK ((char_length(source) <= 60))
);

ALTER TABLE ONLY app.audit_event FORCE ROW LEVEL SECURITY;

ALTER TABLE app.audit_event OWNER TO breathmaster_owner;

COMMENT ON TABLE app.audit_event IS 'What happened to a person''s account, for that person. Can be added to and read, and changed by nobody; it goes with the account.';

COMMENT ON COLUMN app.audit_event.source IS 'The network that the request came from: 24 bits of an IPv4 address, 48 of an IPv6.';

CREATE TABLE app.block (
    uid uuid NOT NULL,
    blocked_uid uuid NOT NULL,
    blocked_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT block_of_another CHECK ((uid <> blocked_uid))
);

ALTER TABLE ONLY app.block FORCE ROW LEVEL SECURITY;

ALTER TABLE app.block OWNER TO breathmaster_owner;

COMMENT ON TABLE app.block IS 'Who wants to see no more of whom. It hides each from the other; only the one who made it knows.';

COMMENT ON COLUMN app.block.blocked_uid IS 'No foreign key: that one cannot block who does not exist would tell who does.';

CREATE TABLE app.company_season (
    organization_id uuid NOT NULL,
    period text NOT NULL,
    metric text NOT NULL,
    people integer DEFAULT 0 NOT NULL,
    last_rank integer,
    last_value double precision,
    digest bytea DEFAULT '\x'::bytea NOT NULL,
    finalised_at timestamp with time zone,
    salt bytea DEFAULT sha256((uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))) NOT NULL,
    last_at timestamp with time zone,
    CONSTRAINT company_season_metric_check CHECK ((metric = ANY (ARRAY['weekly_minutes'::text, 'weekly_consistency'::text, 'team_challenge_participation'::text]))),
    CONSTRAINT company_season_salt_check CHECK ((octet_length(salt) = 32))
);

ALTER TABLE ONLY app.company_season FORCE ROW LEVEL SECURITY;

ALTER TABLE app.company_season OWNER TO breathmaster_owner;

COMMENT ON TABLE app.company_season IS 'A company''s board of a closed week, as app.global_season is.';

COMMENT ON COLUMN app.company_season.people IS 'How many were ranked when it became final. Ranks and this stay as they are when people go, are hidden by a block, or are guests.';

COMMENT ON COLUMN app.company_season.digest IS 'As app.global_season has it.';

COMMENT ON COLUMN app.company_season.salt IS 'As app.global_season has it.';

COMMENT ON COLUMN app.company_season.last_at IS 'As app.global_season has it.';

CREATE TABLE app.company_season_rank (
    organization_id uuid NOT NULL,
    uid uuid NOT NULL,
    period text NOT NULL,
    metric text NOT NULL,
    "position" integer NOT NULL,
    rank integer NOT NULL,
    value double precision NOT NULL,
    achieved_at timestamp with time zone NOT NULL,
    display_name text,
    avatar_url text,
    real_name text,
    shown boolean DEFAULT true NOT NULL
);

ALTER TABLE ONLY app.company_season_rank FORCE ROW LEVEL SECURITY;

ALTER TABLE app.company_season_rank OWNER TO breathmaster_owner;

COMMENT ON TABLE app.company_season_rank IS 'Who was where on a company''s board when it became final. Shown as long as the person is on that board.';

CREATE TABLE app.company_standing (
    organization_id uuid NOT NULL,
    period text NOT NULL,
    uid uuid NOT NULL,
    weekly_minutes integer NOT NULL,
    weekly_minutes_at timestamp with time zone NOT NULL,
    weekly_consistency double precision NOT NULL,
    weekly_consistency_at timestamp with time zone NOT NULL,
    team_challenge_participation integer DEFAULT 0 NOT NULL,
    team_challenge_participation_at timestamp with time zone,
    display_name text,
    avatar_url text,
    real_name text,
    weekly_minutes_before integer,
    weekly_consistency_before double precision,
    CONSTRAINT company_standing_weekly_consistency_check CHECK (((weekly_consistency >= (0)::double precision) AND (weekly_consistency <= (1)::double precision)))
);

ALTER TABLE ONLY app.company_standing FORCE ROW LEVEL SECURITY;

ALTER TABLE app.company_standing OWNER TO breathmaster_owner;

COMMENT ON TABLE app.company_standing IS 'A company''s board: members who agreed to be on it, only what it may show.';

COMMENT ON COLUMN app.company_standing.real_name IS 'Null where the person doesn''t want colleagues to see it. Whether the company does is asked with every read.';

CREATE TABLE app.daily_challenge (
    uid uuid NOT NULL,
    device_id text NOT NULL,
    epoch integer NOT NULL,
    challenge_id text NOT NULL,
    local_day date NOT NULL,
    kind text NOT NULL,
    target integer NOT NULL,
    reward_xp integer NOT NULL,
    completed boolean NOT NULL,
    expired boolean NOT NULL,
    CONSTRAINT daily_challenge_challenge_id_check CHECK (((char_length(challenge_id) >= 1) AND (char_length(challenge_id) <= 64))),
    CONSTRAINT daily_challenge_kind_check CHECK (((char_length(kind) >= 1) AND (char_length(kind) <= 64))),
    CONSTRAINT daily_challenge_reward_xp_check CHECK ((reward_xp >= 0)),
    CONSTRAINT daily_challenge_target_check CHECK ((target >= 0))
);

ALTER TABLE ONLY app.daily_challenge FORCE ROW LEVEL SECURITY;

ALTER TABLE app.daily_challenge OWNER TO breathmaster_owner;

COMMENT ON TABLE app.daily_challenge IS 'A challenge the extension set for a day. Completed on one sighting is completed for good.';

CREATE TABLE app.device (
    uid uuid NOT NULL,
    device_id text NOT NULL,
    name text NOT NULL,
    time_zone text NOT NULL,
    epoch integer NOT NULL,
    last_taken_at timestamp with time zone NOT NULL,
    claimed_xp bigint DEFAULT 0 NOT NULL,
    held_xp bigint DEFAULT 0 NOT NULL,
    carried_xp bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    clock_offset_ms bigint DEFAULT 0 NOT NULL,
    session_xp bigint DEFAULT 0 NOT NULL,
    reward_xp bigint DEFAULT 0 NOT NULL,
    chosen_name text,
    family uuid,
    revoked_at timestamp with time zone,
    CONSTRAINT device_claimed_xp_check CHECK ((claimed_xp >= 0)),
    CONSTRAINT device_device_id_check CHECK (((char_length(device_id) >= 1) AND (char_length(device_id) <= 64))),
    CONSTRAINT device_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 80))),
    CONSTRAINT device_name_invalid CHECK ((((char_length(chosen_name) >= 1) AND (char_length(chosen_name) <= 80)) AND (chosen_name IS NORMALIZED) AND (chosen_name !~ '[[:cntrl:]]'::text) AND (chosen_name ~ '[^[:space:]]'::text)))
);

ALTER TABLE ONLY app.device FORCE ROW LEVEL SECURITY;

ALTER TABLE app.device OWNER TO breathmaster_owner;

COMMENT ON TABLE app.device IS 'An editor that syncs, and what it last claimed in its epoch.';

COMMENT ON COLUMN app.device.claimed_xp IS 'The most it said to have earned by itself in the epoch, what it was handed taken off.';

COMMENT ON COLUMN app.device.held_xp IS 'The most it held beyond the possible sessions in the same export: challenge rewards and legacy XP.';

COMMENT ON COLUMN app.device.carried_xp IS 'Not null on a device that still shows practice from before the last "clear data": the least it held beyond its sessions and rewards since. That much was cleared and does not come back.';

COMMENT ON COLUMN app.device.clock_offset_ms IS 'Milliseconds by which its clock was behind ours when it last told; negative if ahead.';

COMMENT ON COLUMN app.device.session_xp IS 'What its possible sessions of the epoch brought.';

COMMENT ON COLUMN app.device.reward_xp IS 'What its completed challenges of the epoch are worth.';

COMMENT ON COLUMN app.device.chosen_name IS 'What the person calls it. Beside name, which is what it calls itself on every sync and would take this back.';

COMMENT ON COLUMN app.device.family IS 'The sign-in by which it last synced, null before that was noted. No foreign key: the device outlives the sign-in.';

COMMENT ON COLUMN app.device.revoked_at IS 'When the person ended it. Its practice stays theirs; a sync by a new sign-in brings the device back.';

CREATE TABLE app.device_approval (
    uid uuid NOT NULL,
    request_id uuid NOT NULL,
    approved_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY app.device_approval FORCE ROW LEVEL SECURITY;

ALTER TABLE app.device_approval OWNER TO breathmaster_owner;

COMMENT ON TABLE app.device_approval IS 'Who said yes to a device that waits. Gone when the device has come back.';

CREATE TABLE app.device_request (
    request_id uuid NOT NULL,
    hash bytea NOT NULL,
    code_digest bytea NOT NULL,
    device_name text NOT NULL,
    source text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    good_until timestamp with time zone NOT NULL,
    next_poll_at timestamp with time zone NOT NULL,
    poll_seconds integer DEFAULT 5 NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    CONSTRAINT device_request_code_digest_check CHECK ((octet_length(code_digest) = 32)),
    CONSTRAINT device_request_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT device_request_name_invalid CHECK ((((char_length(device_name) >= 1) AND (char_length(device_name) <= 80)) AND (device_name IS NORMALIZED) AND (device_name !~ '[[:cntrl:]]'::text) AND (device_name ~ '[^[:space:]]'::text))),
    CONSTRAINT device_request_poll_seconds_check CHECK (((poll_seconds >= 5) AND (poll_seconds <= 600))),
    CONSTRAINT device_request_source_check CHECK ((char_length(source) <= 60)),
    CONSTRAINT device_request_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'approved'::text, 'denied'::text])))
);

ALTER TABLE ONLY app.device_request FORCE ROW LEVEL SECURITY;

ALTER TABLE app.device_request OWNER TO breathmaster_owner;

COMMENT ON TABLE app.device_request IS 'A device that wants to be signed in, and is nobody''s until somebody says so. Gone ten minutes after it asked.';

COMMENT ON COLUMN app.device_request.hash IS 'SHA-256 of what the device comes back with.';

COMMENT ON COLUMN app.device_request.code_digest IS 'Keyed, of the code that it shows.';

COMMENT ON COLUMN app.device_request.source IS 'The network that it asked from, for the person to recognise.';

COMMENT ON COLUMN app.device_request.next_poll_at IS 'Before this it asks too often, and from then on has to wait five seconds longer (RFC 8628 §3.5).';

CREATE TABLE app.directory_email (
    organization_id uuid NOT NULL,
    email_key text NOT NULL,
    directory_user_id uuid NOT NULL
);

ALTER TABLE ONLY app.directory_email FORCE ROW LEVEL SECURITY;

ALTER TABLE app.directory_email OWNER TO breathmaster_owner;

COMMENT ON TABLE app.directory_email IS 'By which addresses somebody in a company''s directory is found: those of app.directory_user, one a row.';

COMMENT ON COLUMN app.directory_email.email_key IS 'In lower case, and no longer than an index takes.';

CREATE TABLE app.directory_group (
    organization_id uuid NOT NULL,
    directory_group_id uuid NOT NULL,
    display_name text NOT NULL,
    name_key text GENERATED ALWAYS AS (lower(display_name)) STORED NOT NULL,
    external_id text,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT directory_group_display_name_check CHECK (((char_length(display_name) >= 1) AND (char_length(display_name) <= 1024))),
    CONSTRAINT directory_group_external_id_check CHECK ((char_length(external_id) <= 1024))
);

ALTER TABLE ONLY app.directory_group FORCE ROW LEVEL SECURITY;

ALTER TABLE app.directory_group OWNER TO breathmaster_owner;

COMMENT ON TABLE app.directory_group IS 'A team within a company, as its directory has it.';

CREATE TABLE app.directory_group_member (
    organization_id uuid NOT NULL,
    directory_group_id uuid NOT NULL,
    directory_user_id uuid NOT NULL
);

ALTER TABLE ONLY app.directory_group_member FORCE ROW LEVEL SECURITY;

ALTER TABLE app.directory_group_member OWNER TO breathmaster_owner;

COMMENT ON TABLE app.directory_group_member IS 'Who belongs to which team.';

CREATE TABLE app.directory_leaver (
    organization_id uuid NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT directory_leaver_digest_check CHECK ((octet_length(digest) = 32))
);

ALTER TABLE ONLY app.directory_leaver FORCE ROW LEVEL SECURITY;

ALTER TABLE app.directory_leaver OWNER TO breathmaster_owner;

COMMENT ON TABLE app.directory_leaver IS 'Whom the directory has deleted, by a digest of their address: the domain alone doesn''t let them in again. Gone when the directory has them again.';

CREATE TABLE app.directory_tally (
    organization_id uuid NOT NULL,
    shard integer NOT NULL,
    users bigint NOT NULL,
    CONSTRAINT directory_tally_shard_check CHECK (((shard >= 0) AND (shard <= 15)))
)
WITH (fillfactor='50');

ALTER TABLE ONLY app.directory_tally FORCE ROW LEVEL SECURITY;

ALTER TABLE app.directory_tally OWNER TO breathmaster_owner;

COMMENT ON TABLE app.directory_tally IS 'How many users a company''s directory has, in parts to be added up.';

CREATE TABLE app.domain_claim (
    organization_id uuid NOT NULL,
    domain text NOT NULL,
    proved_at timestamp with time zone,
    token text,
    claimed_at timestamp with time zone DEFAULT now() NOT NULL,
    checked_at timestamp with time zone,
    due_at timestamp with time zone,
    lost_at timestamp with time zone,
    CONSTRAINT domain_claim_invalid CHECK (((domain = lower(domain)) AND (domain ~ '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$'::text))),
    CONSTRAINT domain_claim_lost_was_proved CHECK (((lost_at IS NULL) OR (proved_at IS NOT NULL))),
    CONSTRAINT domain_claim_token_invalid CHECK ((token ~ '^[a-z2-7]{26}$'::text))
);

ALTER TABLE ONLY app.domain_claim FORCE ROW LEVEL SECURITY;

ALTER TABLE app.domain_claim OWNER TO breathmaster_owner;

COMMENT ON TABLE app.domain_claim IS 'A mail domain that an organization holds. One of the few facts that are unique across tenants.';

COMMENT ON COLUMN app.domain_claim.token IS 'What the record has to say. No secret: it is for the world to see. Null where the operator vouches for the domain.';

COMMENT ON COLUMN app.domain_claim.checked_at IS 'When the record was last looked for, and the domain''s servers answered.';

COMMENT ON COLUMN app.domain_claim.due_at IS 'When a job looks for it next. The job that looks moves this forward.';

COMMENT ON COLUMN app.domain_claim.lost_at IS 'Since when the record is missing. After seven days the claim is gone.';

CREATE TABLE app.email_claim (
    uid uuid NOT NULL,
    address text NOT NULL,
    domain text GENERATED ALWAYS AS (lower(split_part(address, '@'::text, 2))) STORED NOT NULL,
    verified_at timestamp with time zone DEFAULT now() NOT NULL,
    mailbox text GENERATED ALWAYS AS (lower(address)) STORED NOT NULL,
    CONSTRAINT email_claim_invalid CHECK (((char_length(address) <= 254) AND (address ~ '^[^@[:space:]]+@[^@[:space:]]+$'::text)))
);

ALTER TABLE ONLY app.email_claim FORCE ROW LEVEL SECURITY;

ALTER TABLE app.email_claim OWNER TO breathmaster_owner;

COMMENT ON TABLE app.email_claim IS 'An address that a person has shown to be theirs. Joining a company hangs on one of these, not on the profile.';

COMMENT ON COLUMN app.email_claim.mailbox IS 'In lower case, for an index that is used below a policy: lower() is not leakproof, so what it makes of a column is no condition for an index there.';

CREATE TABLE app.email_verification (
    uid uuid NOT NULL,
    address text NOT NULL,
    digest bytea NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    good_until timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    CONSTRAINT email_verification_digest_check CHECK ((octet_length(digest) = 32)),
    CONSTRAINT email_verification_invalid CHECK (((char_length(address) <= 254) AND (address ~ '^[!-;=?-~]+@[a-z0-9.-]+$'::text)))
);

ALTER TABLE ONLY app.email_verification FORCE ROW LEVEL SECURITY;

ALTER TABLE app.email_verification OWNER TO breathmaster_owner;

COMMENT ON TABLE app.email_verification IS 'An address that a person says is theirs and has not shown to be. It gives nothing: what counts is app.email_claim.';

COMMENT ON COLUMN app.email_verification.digest IS 'Of the newest code that was mailed, keyed; the one before is none any more.';

CREATE TABLE app.friend_code (
    uid uuid NOT NULL,
    seed uuid NOT NULL,
    digest bytea NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT friend_code_digest_check CHECK ((octet_length(digest) = 32))
);

ALTER TABLE ONLY app.friend_code FORCE ROW LEVEL SECURITY;

ALTER TABLE app.friend_code OWNER TO breathmaster_owner;

COMMENT ON TABLE app.friend_code IS 'A person''s one current invitation code, good for 30 days. The code is not here: it comes of the seed and a key that the server holds, and is recognised by its keyed digest.';

CREATE TABLE app.friend_code_attempt (
    uid uuid NOT NULL,
    since timestamp with time zone NOT NULL,
    attempts integer NOT NULL,
    CONSTRAINT friend_code_attempt_attempts_check CHECK ((attempts >= 1))
);

ALTER TABLE ONLY app.friend_code_attempt FORCE ROW LEVEL SECURITY;

ALTER TABLE app.friend_code_attempt OWNER TO breathmaster_owner;

COMMENT ON TABLE app.friend_code_attempt IS 'How often a person gave a code within the hour that began with the first time.';

CREATE TABLE app.friendship (
    uid uuid NOT NULL,
    friend_uid uuid NOT NULL,
    asked_by uuid NOT NULL,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    accepted_at timestamp with time zone,
    declined_at timestamp with time zone,
    withdrawn_at timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT friendship_asked_by_one_of_them CHECK (((asked_by = uid) OR (asked_by = friend_uid))),
    CONSTRAINT friendship_declined_is_not_accepted CHECK (((declined_at IS NULL) OR (accepted_at IS NULL))),
    CONSTRAINT friendship_ended_is_not_accepted CHECK (((ended_at IS NULL) OR (accepted_at IS NULL))),
    CONSTRAINT friendship_in_order CHECK ((uid < friend_uid)),
    CONSTRAINT friendship_withdrawn_was_declined CHECK (((withdrawn_at IS NULL) OR (declined_at IS NOT NULL)))
);

ALTER TABLE ONLY app.friendship FORCE ROW LEVEL SECURITY;

ALTER TABLE app.friendship OWNER TO breathmaster_owner;

COMMENT ON TABLE app.friendship IS 'A pair of people, the smaller uid first. It exists once asked, and counts once accepted.';

COMMENT ON COLUMN app.friendship.asked_by IS 'Who asked; once the friendship was ended, whom the other one removed, as if they had asked and had been declined.';

COMMENT ON COLUMN app.friendship.declined_at IS 'Since when the one who was asked does not see it.';

COMMENT ON COLUMN app.friendship.withdrawn_at IS 'Since when the one who asked does not see it either. The row stays, so that asking again is no way around a no.';

COMMENT ON COLUMN app.friendship.ended_at IS 'When the one who isn''t asked_by ended the friendship that there was. From then on it is for them to ask, or to say yes.';

CREATE TABLE app.game_state (
    uid uuid NOT NULL,
    epoch integer DEFAULT 1 NOT NULL,
    epoch_started_at timestamp with time zone,
    eligible_at timestamp with time zone,
    sync_version bigint DEFAULT 0 NOT NULL,
    last_modified timestamp with time zone,
    last_device_id text,
    total_xp bigint DEFAULT 0 NOT NULL,
    legacy_xp bigint DEFAULT 0 NOT NULL,
    total_sessions integer DEFAULT 0 NOT NULL,
    active_ms bigint DEFAULT 0 NOT NULL,
    streak_days integer DEFAULT 0 NOT NULL,
    streak_ends_on date,
    longest_streak integer DEFAULT 0 NOT NULL,
    floor_xp bigint DEFAULT 0 NOT NULL,
    detail_from date,
    CONSTRAINT game_state_epoch_check CHECK ((epoch >= 1))
);

ALTER TABLE ONLY app.game_state FORCE ROW LEVEL SECURITY;

ALTER TABLE app.game_state OWNER TO breathmaster_owner;

COMMENT ON TABLE app.game_state IS 'What the ledger adds up to, rewritten by every sync in the same transaction. Its row is also the lock that puts one person''s syncs in order.';

COMMENT ON COLUMN app.game_state.epoch_started_at IS 'When "clear data" was last chosen; null in the first epoch.';

COMMENT ON COLUMN app.game_state.eligible_at IS 'When the level-5 gate was passed. Once passed it stays passed.';

COMMENT ON COLUMN app.game_state.streak_ends_on IS 'Last local day of the newest run of days; whether that is still the current streak depends on the day that asks.';

COMMENT ON COLUMN app.game_state.floor_xp IS 'The largest total that a device showed in the epoch: the merged one never falls below.';

COMMENT ON COLUMN app.game_state.detail_from IS 'Sessions of days before this one were forgotten, in all epochs; null where none were. It never goes back.';

CREATE TABLE app.global_season (
    period text NOT NULL,
    metric text NOT NULL,
    people integer DEFAULT 0 NOT NULL,
    last_rank integer,
    last_value integer,
    digest bytea DEFAULT '\x'::bytea NOT NULL,
    finalised_at timestamp with time zone,
    salt bytea DEFAULT sha256((uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))) NOT NULL,
    last_at timestamp with time zone,
    CONSTRAINT global_season_metric_check CHECK ((metric = ANY (ARRAY['weekly_xp'::text, 'weekly_streak'::text]))),
    CONSTRAINT global_season_salt_check CHECK ((octet_length(salt) = 32))
);

ALTER TABLE app.global_season OWNER TO breathmaster_owner;

COMMENT ON TABLE app.global_season IS 'A global board of a closed week. Of nobody in particular.';

COMMENT ON COLUMN app.global_season.people IS 'How many were ranked: so far, until it is finalised.';

COMMENT ON COLUMN app.global_season.last_rank IS 'The rank that was given last, and to which value: where the job goes on.';

COMMENT ON COLUMN app.global_season.digest IS 'A chain over the ranks in their order, each SHA-256 of what was before and of "rank,uid,value;". It stays as it was when people go. Shown to nobody as it is: what is published is SHA-256 of the salt and this.';

COMMENT ON COLUMN app.global_season.salt IS 'Drawn by lot, and shown to nobody: without it nothing can be tried against the digest that is published.';

COMMENT ON COLUMN app.global_season.last_at IS 'When the last of those whose ranks are written reached their value.';

CREATE TABLE app.global_season_rank (
    uid uuid NOT NULL,
    period text NOT NULL,
    metric text NOT NULL,
    "position" integer NOT NULL,
    rank integer NOT NULL,
    value integer NOT NULL,
    achieved_at timestamp with time zone NOT NULL,
    entry_id uuid NOT NULL,
    alias uuid,
    display_name text,
    avatar_url text,
    shown boolean DEFAULT true NOT NULL
);

ALTER TABLE ONLY app.global_season_rank FORCE ROW LEVEL SECURITY;

ALTER TABLE app.global_season_rank OWNER TO breathmaster_owner;

COMMENT ON TABLE app.global_season_rank IS 'Who was where on a global board when it became final. Shown as long as the person is on that board.';

COMMENT ON COLUMN app.global_season_rank."position" IS 'In the order of the board, where ties come one after the other.';

COMMENT ON COLUMN app.global_season_rank.entry_id IS 'As whom the digest has the row. Shown to nobody.';

COMMENT ON COLUMN app.global_season_rank.shown IS 'Whether the person is on that board still. Who comes back has their place again.';

CREATE TABLE app.global_standing (
    period text NOT NULL,
    uid uuid NOT NULL,
    weekly_xp integer NOT NULL,
    weekly_xp_at timestamp with time zone NOT NULL,
    weekly_streak integer,
    weekly_streak_at timestamp with time zone,
    display_name text,
    avatar_url text,
    alias uuid,
    stats_shown boolean DEFAULT false NOT NULL,
    weekly_xp_before integer,
    weekly_streak_before integer
);

ALTER TABLE ONLY app.global_standing FORCE ROW LEVEL SECURITY;

ALTER TABLE app.global_standing OWNER TO breathmaster_owner;

COMMENT ON TABLE app.global_standing IS 'The global board: only those who opted in, only what it may show.';

COMMENT ON COLUMN app.global_standing.display_name IS 'As the person is shown: copied, so that the row is all that there is to see.';

COMMENT ON COLUMN app.global_standing.alias IS 'As whom others know the row, where that is not its person: see app.pseudonym.';

COMMENT ON COLUMN app.global_standing.stats_shown IS 'Whether what else the week has may stand beside a value.';

CREATE TABLE app.global_tally (
    period text NOT NULL,
    metric text NOT NULL,
    level integer NOT NULL,
    bucket integer NOT NULL,
    people bigint NOT NULL,
    CONSTRAINT global_tally_level_check CHECK ((level = ANY (ARRAY[0, 1]))),
    CONSTRAINT global_tally_metric_check CHECK ((metric = ANY (ARRAY['weekly_xp'::text, 'weekly_streak'::text])))
);

ALTER TABLE app.global_tally OWNER TO breathmaster_owner;

COMMENT ON TABLE app.global_tally IS 'Counts of people by what they reached on the global board. Of nobody in particular.';

COMMENT ON COLUMN app.global_tally.level IS '0 counts single values, 1 buckets of 128 of them.';

CREATE TABLE app.global_tally_change (
    change_id bigint NOT NULL,
    period text NOT NULL,
    metric text NOT NULL,
    value integer NOT NULL,
    people bigint NOT NULL
);

ALTER TABLE app.global_tally_change OWNER TO breathmaster_owner;

COMMENT ON TABLE app.global_tally_change IS 'What app.global_tally doesn''t contain yet.';

ALTER TABLE app.global_tally_change ALTER COLUMN change_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME app.global_tally_change_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE app.global_total (
    uid uuid NOT NULL,
    total_xp integer NOT NULL,
    longest_streak integer,
    total_sessions integer NOT NULL
);

ALTER TABLE ONLY app.global_total FORCE ROW LEVEL SECURITY;

ALTER TABLE app.global_total OWNER TO breathmaster_owner;

COMMENT ON TABLE app.global_total IS 'What those have reached in all time who want everyone to see it. The streak is null where they don''t share theirs.';

CREATE TABLE app.identity (
    uid uuid NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    identifier text GENERATED ALWAYS AS (((issuer || ' '::text) || subject)) STORED NOT NULL,
    address text,
    linked_at timestamp with time zone NOT NULL,
    CONSTRAINT identity_address_check CHECK ((char_length(address) <= 254)),
    CONSTRAINT identity_issuer_check CHECK ((((char_length(issuer) >= 1) AND (char_length(issuer) <= 255)) AND (issuer !~ '[[:space:]]'::text))),
    CONSTRAINT identity_subject_check CHECK (((char_length(subject) >= 1) AND (char_length(subject) <= 255)))
);

ALTER TABLE ONLY app.identity FORCE ROW LEVEL SECURITY;

ALTER TABLE app.identity OWNER TO breathmaster_owner;

COMMENT ON TABLE app.identity IS 'Whom a provider of OpenID Connect knows this person as: one for each provider. Nothing but a way in.';

COMMENT ON COLUMN app.identity.identifier IS 'What names somebody at a provider: its issuer and its subject there. The issuer has no space in it.';

COMMENT ON COLUMN app.identity.address IS 'Which address the provider showed then, for the person to know which account it is. It gives nothing: what counts is app.email_claim.';

CREATE TABLE app.invitation (
    organization_id uuid NOT NULL,
    invitation_id uuid NOT NULL,
    address text NOT NULL,
    role text NOT NULL,
    invited_at timestamp with time zone NOT NULL,
    good_until timestamp with time zone NOT NULL,
    CONSTRAINT invitation_address_invalid CHECK (((char_length(address) <= 254) AND (address ~ '^[!-;=?-~]+@[a-z0-9.-]+$'::text))),
    CONSTRAINT invitation_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'analyst'::text, 'member'::text])))
);

ALTER TABLE ONLY app.invitation FORCE ROW LEVEL SECURITY;

ALTER TABLE app.invitation OWNER TO breathmaster_owner;

COMMENT ON TABLE app.invitation IS 'Who is asked into a company, by an address that they have to show to be theirs. It is spent by joining, and good for seven days.';

CREATE TABLE app.mail_budget (
    uid uuid NOT NULL,
    since timestamp with time zone NOT NULL,
    messages integer NOT NULL,
    CONSTRAINT mail_budget_messages_check CHECK ((messages >= 1))
);

ALTER TABLE ONLY app.mail_budget FORCE ROW LEVEL SECURITY;

ALTER TABLE app.mail_budget OWNER TO breathmaster_owner;

COMMENT ON TABLE app.mail_budget IS 'How much mail a person has caused within the hour that began with the first.';

CREATE TABLE app.organization_deletion (
    organization_id uuid NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    begun_at timestamp with time zone,
    finished_at timestamp with time zone,
    counts jsonb DEFAULT '{}'::jsonb NOT NULL
);

ALTER TABLE ONLY app.organization_deletion FORCE ROW LEVEL SECURITY;

ALTER TABLE app.organization_deletion OWNER TO breathmaster_owner;

COMMENT ON TABLE app.organization_deletion IS 'What was deleted of a company: how much of what, and when. It outlasts the company, and has nothing of it but the id.';

CREATE TABLE app.organization_event_head (
    organization_id uuid NOT NULL,
    last_number bigint NOT NULL,
    last_hash bytea NOT NULL,
    forgotten_number bigint DEFAULT 0 NOT NULL,
    forgotten_hash bytea DEFAULT '\x'::bytea NOT NULL
);

ALTER TABLE ONLY app.organization_event_head FORCE ROW LEVEL SECURITY;

ALTER TABLE app.organization_event_head OWNER TO breathmaster_owner;

COMMENT ON TABLE app.organization_event_head IS 'Where a company''s record ends, so that a missing end is noticed, and where it begins since older lines were forgotten.';

CREATE TABLE app.organization_key (
    organization_id uuid NOT NULL,
    key_id uuid NOT NULL,
    hash bytea NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    sources cidr[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    used_on date,
    CONSTRAINT organization_key_expiry_invalid CHECK ((expires_at > created_at)),
    CONSTRAINT organization_key_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT organization_key_name_invalid CHECK ((((char_length(name) >= 1) AND (char_length(name) <= 80)) AND (name IS NORMALIZED) AND (name !~ '[[:cntrl:]]'::text) AND (name ~ '[^[:space:]]'::text))),
    CONSTRAINT organization_key_scopes_check CHECK (((cardinality(scopes) >= 1) AND (cardinality(scopes) <= 32))),
    CONSTRAINT organization_key_sources_check CHECK ((cardinality(sources) <= 50))
);

ALTER TABLE ONLY app.organization_key FORCE ROW LEVEL SECURITY;

ALTER TABLE app.organization_key OWNER TO breathmaster_owner;

COMMENT ON TABLE app.organization_key IS 'What an organization lets a program of its own do. The key is kept as SHA-256 only, and even that the server cannot read.';

COMMENT ON COLUMN app.organization_key.sources IS 'The networks that it is good from; from anywhere where there is none.';

COMMENT ON COLUMN app.organization_key.expires_at IS 'Null for one that lasts: a directory that stops at night without a word helps nobody.';

COMMENT ON COLUMN app.organization_key.used_on IS 'The last day, in UTC, on which it opened anything. Written once a day.';

CREATE TABLE app.outbox (
    uid uuid NOT NULL,
    message_id uuid NOT NULL,
    kind text NOT NULL,
    recipient text NOT NULL,
    seed uuid,
    written_at timestamp with time zone NOT NULL,
    good_until timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    dead_at timestamp with time zone,
    dead_of text,
    about text,
    CONSTRAINT outbox_about_invalid CHECK ((char_length(about) <= 320)),
    CONSTRAINT outbox_dead_of_check CHECK ((char_length(dead_of) <= 200)),
    CONSTRAINT outbox_kind_check CHECK ((kind = ANY (ARRAY['emailCode'::text, 'passwordReset'::text, 'passwordChanged'::text, 'invitation'::text, 'domainLost'::text, 'domainLapsed'::text]))),
    CONSTRAINT outbox_recipient_invalid CHECK (((char_length(recipient) <= 254) AND (recipient ~ '^[!-;=?-~]+@[a-z0-9.-]+$'::text)))
);

ALTER TABLE ONLY app.outbox FORCE ROW LEVEL SECURITY;

ALTER TABLE app.outbox OWNER TO breathmaster_owner;

COMMENT ON TABLE app.outbox IS 'Mail that is to be sent. A message is gone when a mail server has taken it, and stays for a week when it is given up.';

COMMENT ON COLUMN app.outbox.message_id IS 'The left half of its Message-ID: the same however often it is sent, so a mailbox can tell.';

COMMENT ON COLUMN app.outbox.seed IS 'What the code in it comes of, with a key that the server holds: the code itself is nowhere at rest.';

COMMENT ON COLUMN app.outbox.due_at IS 'When it is sent next. The job that has taken it moves this forward, so one that dies with it holds it up and doesn''t lose it.';

COMMENT ON COLUMN app.outbox.dead_of IS 'Why it was given up, in the job''s words and never a mail server''s, which may repeat the address.';

COMMENT ON COLUMN app.outbox.about IS 'What it is about, to be named in it: for an invitation, the company.';

CREATE TABLE app.ownership_offer (
    organization_id uuid NOT NULL,
    uid uuid NOT NULL,
    offered_by uuid NOT NULL,
    offered_at timestamp with time zone NOT NULL,
    good_until timestamp with time zone NOT NULL
);

ALTER TABLE ONLY app.ownership_offer FORCE ROW LEVEL SECURITY;

ALTER TABLE app.ownership_offer OWNER TO breathmaster_owner;

COMMENT ON TABLE app.ownership_offer IS 'A company that its owner wants to hand to another member, who has to say yes. Gone when either leaves.';

CREATE TABLE app.password (
    uid uuid NOT NULL,
    phc text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT password_phc_check CHECK (((char_length(phc) <= 200) AND (phc ~ '^\$argon2id\$v=[0-9]+\$m=[0-9]+,t=[0-9]+,p=[0-9]+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$'::text)))
);

ALTER TABLE ONLY app.password FORCE ROW LEVEL SECURITY;

ALTER TABLE app.password OWNER TO breathmaster_owner;

COMMENT ON TABLE app.password IS 'What a person''s password is recognised by.';

COMMENT ON COLUMN app.password.phc IS 'Argon2id (RFC 9106) in the PHC string format: its own salt and parameters, so that they can be raised for each at its next use.';

CREATE TABLE app.password_reset (
    reset_id uuid NOT NULL,
    address text NOT NULL,
    seed uuid NOT NULL,
    digest bytea NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    good_until timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    CONSTRAINT password_reset_digest_check CHECK ((octet_length(digest) = 32)),
    CONSTRAINT password_reset_invalid CHECK (((char_length(address) <= 254) AND (address ~ '^[!-;=?-~]+@[a-z0-9.-]+$'::text))),
    CONSTRAINT password_reset_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'mailed'::text, 'passed over'::text, 'spent'::text])))
);

ALTER TABLE ONLY app.password_reset FORCE ROW LEVEL SECURITY;

ALTER TABLE app.password_reset OWNER TO breathmaster_owner;

COMMENT ON TABLE app.password_reset IS 'A password that somebody says is forgotten, of an address that may be nobody''s. Only what was mailed can be used, and whoever asked has the id: nobody spends the tries of another. Gone after an hour.';

COMMENT ON COLUMN app.password_reset.seed IS 'What the code comes of, with a key that the server holds.';

COMMENT ON COLUMN app.password_reset.state IS 'Passed over: the address is nobody''s, or has been mailed enough. Spent: a password was set by it, or by another one of the address.';

CREATE TABLE app.practice_day (
    uid uuid NOT NULL,
    epoch integer NOT NULL,
    local_day date NOT NULL,
    xp integer NOT NULL,
    active_ms bigint NOT NULL,
    sessions integer NOT NULL,
    overlap_xp integer NOT NULL,
    first_ended_at timestamp with time zone NOT NULL,
    last_ended_at timestamp with time zone NOT NULL,
    first_zone text NOT NULL,
    last_zone text NOT NULL,
    follows_travel boolean DEFAULT false NOT NULL,
    CONSTRAINT practice_day_sessions_check CHECK ((sessions > 0))
);

ALTER TABLE ONLY app.practice_day FORCE ROW LEVEL SECURITY;

ALTER TABLE app.practice_day OWNER TO breathmaster_owner;

COMMENT ON TABLE app.practice_day IS 'One local day of a person as their sound sessions add up. Written with the sessions, and never claimed.';

COMMENT ON COLUMN app.practice_day.xp IS 'What the sessions count for. Boards add up these.';

COMMENT ON COLUMN app.practice_day.overlap_xp IS 'What they brought beyond that: two devices at once count once.';

COMMENT ON COLUMN app.practice_day.follows_travel IS 'The streak goes on from the practised day before, although local days lie between: the person travelled.';

CREATE TABLE app.pseudonym (
    uid uuid NOT NULL,
    period text NOT NULL,
    alias uuid DEFAULT gen_random_uuid() NOT NULL
);

ALTER TABLE ONLY app.pseudonym FORCE ROW LEVEL SECURITY;

ALTER TABLE app.pseudonym OWNER TO breathmaster_owner;

COMMENT ON TABLE app.pseudonym IS 'As whom a person is on the global board of one season. Drawn by lot, so it leads neither to the person nor to another season; kept, so that it is the same each time.';

CREATE UNLOGGED TABLE app.rate_limit (
    subject bytea NOT NULL,
    free_at timestamp with time zone NOT NULL,
    CONSTRAINT rate_limit_subject_check CHECK ((octet_length(subject) = 16))
);

ALTER TABLE app.rate_limit OWNER TO breathmaster_owner;

COMMENT ON TABLE app.rate_limit IS 'How much of a quota is spent, by a keyed digest of whose it is and of what. Lost with a crash, on purpose; forgotten as soon as the whole quota is there again.';

COMMENT ON COLUMN app.rate_limit.free_at IS 'When the whole quota is there again: the theoretical arrival time of the algorithm.';

CREATE TABLE app.recovery_code (
    uid uuid NOT NULL,
    hash bytea NOT NULL,
    previous_hash bytea,
    made_at timestamp with time zone NOT NULL,
    CONSTRAINT recovery_code_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT recovery_code_previous_hash_check CHECK ((octet_length(previous_hash) = 32))
);

ALTER TABLE ONLY app.recovery_code FORCE ROW LEVEL SECURITY;

ALTER TABLE app.recovery_code OWNER TO breathmaster_owner;

COMMENT ON TABLE app.recovery_code IS 'The code by which a person finds their account again who has nothing else. Kept as SHA-256 only.';

COMMENT ON COLUMN app.recovery_code.previous_hash IS 'The code that was used for this one. It is good until this one is used, so that a lost answer loses no account.';

CREATE TABLE app.refresh_token (
    uid uuid NOT NULL,
    family uuid NOT NULL,
    current_hash bytea NOT NULL,
    previous_hash bytea,
    expires_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone DEFAULT (now() + '1 year'::interval) NOT NULL,
    rotated_at timestamp with time zone,
    began_at timestamp with time zone,
    CONSTRAINT refresh_token_current_hash_check CHECK ((octet_length(current_hash) = 32)),
    CONSTRAINT refresh_token_previous_hash_check CHECK ((octet_length(previous_hash) = 32))
);

ALTER TABLE ONLY app.refresh_token FORCE ROW LEVEL SECURITY;

ALTER TABLE app.refresh_token OWNER TO breathmaster_owner;

COMMENT ON TABLE app.refresh_token IS 'One row per sign-in. Tokens are kept as SHA-256 only.';

COMMENT ON COLUMN app.refresh_token.previous_hash IS 'The token that current_hash replaced. It works until its successor was used once, so that a lost answer signs nobody out; anything older revokes the family.';

COMMENT ON COLUMN app.refresh_token.ends_at IS 'When the sign-in ends, whatever expires_at was moved to.';

COMMENT ON COLUMN app.refresh_token.rotated_at IS 'When current_hash was first asked for. The token before it is asked for again within seconds when an answer was lost; later than that is worth a line in the record.';

COMMENT ON COLUMN app.refresh_token.began_at IS 'When somebody signed in. However often the sign-in is continued, it is as old as that. Null for those that began before this was kept, a year before they end.';

CREATE TABLE app.role_permission (
    role text NOT NULL,
    permission text NOT NULL,
    when_closed boolean DEFAULT false NOT NULL,
    CONSTRAINT role_permission_permission_check CHECK ((permission ~ '^[a-z]+\.[a-z]+$'::text)),
    CONSTRAINT role_permission_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'analyst'::text, 'member'::text])))
);

ALTER TABLE app.role_permission OWNER TO breathmaster_owner;

COMMENT ON TABLE app.role_permission IS 'What each role may do in its company. The only place that says so: policies and functions ask it, through app.permitted_organization_ids.';

COMMENT ON COLUMN app.role_permission.when_closed IS 'Whether the role still may while the company is closed.';

CREATE TABLE app.season (
    period text NOT NULL,
    closed_at timestamp with time zone NOT NULL,
    finalised_at timestamp with time zone,
    CONSTRAINT season_period_check CHECK ((period ~ '^[0-9]{4}-W(0[1-9]|[1-4][0-9]|5[0-3])$'::text))
);

ALTER TABLE app.season OWNER TO breathmaster_owner;

COMMENT ON TABLE app.season IS 'A week whose standings no sync changes any more. Of nobody in particular.';

COMMENT ON COLUMN app.season.finalised_at IS 'When the last of its boards was written to history.';

CREATE TABLE app.session (
    uid uuid NOT NULL,
    device_id text NOT NULL,
    session_id text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    epoch integer NOT NULL,
    local_day date NOT NULL,
    active_ms bigint NOT NULL,
    cycles integer NOT NULL,
    goal_minutes integer,
    goal_bonus_xp integer NOT NULL,
    verdict text NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    time_zone text DEFAULT 'UTC'::text NOT NULL,
    clock_offset_ms bigint DEFAULT 0 NOT NULL,
    began_at timestamp with time zone NOT NULL,
    counted_xp integer DEFAULT 0 NOT NULL,
    counted_active_ms bigint DEFAULT 0 NOT NULL,
    pardoned boolean DEFAULT false NOT NULL,
    sync_version bigint DEFAULT 0 NOT NULL,
    taken_over_at timestamp with time zone,
    CONSTRAINT session_active_ms_check CHECK ((active_ms >= 0)),
    CONSTRAINT session_cycles_check CHECK ((cycles >= 0)),
    CONSTRAINT session_ends_before_it_starts CHECK ((ended_at >= started_at)),
    CONSTRAINT session_goal_bonus_xp_check CHECK ((goal_bonus_xp >= 0)),
    CONSTRAINT session_goal_minutes_check CHECK ((goal_minutes > 0)),
    CONSTRAINT session_session_id_check CHECK (((char_length(session_id) >= 1) AND (char_length(session_id) <= 64))),
    CONSTRAINT session_verdict_check CHECK ((verdict = ANY (ARRAY['sound'::text, 'tooManyCycles'::text, 'longerThanItsClock'::text, 'tooLong'::text, 'inTheFuture'::text, 'overlaps'::text, 'bonusTooLarge'::text])))
);

ALTER TABLE ONLY app.session FORCE ROW LEVEL SECURITY;

ALTER TABLE app.session OWNER TO breathmaster_owner;

COMMENT ON TABLE app.session IS 'One sitting of practice. A set: repeating an export adds nothing.';

COMMENT ON COLUMN app.session.started_at IS 'As the device''s clock labelled it, and by which it is known.';

COMMENT ON COLUMN app.session.local_day IS 'The local day in which it ended, in the zone that its device reported when it first arrived.';

COMMENT ON COLUMN app.session.verdict IS 'sound, or why it is quarantined: kept in the history, on no board, in no count.';

COMMENT ON COLUMN app.session.time_zone IS 'Where it was practised.';

COMMENT ON COLUMN app.session.began_at IS 'By our clock: started_at and clock_offset_ms.';

COMMENT ON COLUMN app.session.counted_xp IS 'What it counts for: nothing in quarantine, less where another device counts for some of the same minutes.';

COMMENT ON COLUMN app.session.pardoned IS 'An operator let it count after an appeal.';

COMMENT ON COLUMN app.session.sync_version IS 'The sync that last changed it: what other devices haven''t seen yet is above their cursor.';

COMMENT ON COLUMN app.session.taken_over_at IS 'When it came with another account of the same person; null where a device brought it. A week that was closed before does not count it.';

CREATE TABLE app.session_appeal (
    uid uuid NOT NULL,
    device_id text NOT NULL,
    session_id text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    verdict text NOT NULL,
    reason text NOT NULL,
    appealed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT session_appeal_reason_invalid CHECK (((char_length(reason) >= 1) AND (char_length(reason) <= 1000)))
);

ALTER TABLE ONLY app.session_appeal FORCE ROW LEVEL SECURITY;

ALTER TABLE app.session_appeal OWNER TO breathmaster_owner;

COMMENT ON TABLE app.session_appeal IS 'What a person says for a session that was quarantined.';

COMMENT ON COLUMN app.session_appeal.verdict IS 'Why it was in quarantine when they asked.';

CREATE TABLE app.spent_nonce (
    digest bytea NOT NULL,
    spent_at timestamp with time zone NOT NULL,
    good_until timestamp with time zone NOT NULL,
    CONSTRAINT spent_nonce_digest_check CHECK ((octet_length(digest) = 32))
);

ALTER TABLE ONLY app.spent_nonce FORCE ROW LEVEL SECURITY;

ALTER TABLE app.spent_nonce OWNER TO breathmaster_owner;

COMMENT ON TABLE app.spent_nonce IS 'Nonces of ID tokens that were taken, until they are over by themselves: so no ID token is good twice.';

CREATE TABLE app.standing (
    uid uuid NOT NULL,
    period text NOT NULL,
    weekly_xp integer,
    weekly_streak integer,
    weekly_minutes integer,
    practised_days integer,
    total_sessions integer,
    favorite_patterns text[] DEFAULT '{}'::text[] NOT NULL,
    last_session_at timestamp with time zone NOT NULL,
    last_day_at timestamp with time zone NOT NULL,
    streak_at timestamp with time zone NOT NULL,
    with_friends boolean NOT NULL,
    streak_shown boolean NOT NULL,
    total_xp integer,
    longest_streak integer,
    weekly_xp_before integer,
    weekly_streak_before integer,
    weekly_minutes_before integer,
    practised_days_before integer,
    CONSTRAINT standing_period_check CHECK (((period = 'all-time'::text) OR (period ~ '^[0-9]{4}-W(0[1-9]|[1-4][0-9]|5[0-3])$'::text))),
    CONSTRAINT standing_practised_days_check CHECK (((practised_days >= 1) AND (practised_days <= 7)))
);

ALTER TABLE ONLY app.standing FORCE ROW LEVEL SECURITY;

ALTER TABLE app.standing OWNER TO breathmaster_owner;

COMMENT ON TABLE app.standing IS 'One person''s period: an ISO week of their local days, or all time. Derived from sound sessions, never claimed.';

COMMENT ON COLUMN app.standing.weekly_streak IS 'The longest run of practised local days inside the week.';

COMMENT ON COLUMN app.standing.last_session_at IS 'When the session count, XP and minutes reached their values: the tie-breaker.';

COMMENT ON COLUMN app.standing.last_day_at IS 'When the latest practised day was first practised.';

COMMENT ON COLUMN app.standing.streak_at IS 'When the longest run reached its length.';

COMMENT ON COLUMN app.standing.with_friends IS 'The person shows their progress to friends.';

COMMENT ON COLUMN app.standing.total_xp IS 'Of all time, from sessions that count: what a device claims beyond them is on no board.';

COMMENT ON COLUMN app.standing.weekly_xp_before IS 'What it was when the week had ended, where practice came in after that.';

CREATE TABLE app.sync_batch (
    uid uuid NOT NULL,
    batch_id uuid NOT NULL,
    device_id text NOT NULL,
    digest bytea NOT NULL,
    epoch integer NOT NULL,
    sync_version bigint NOT NULL,
    handed_xp bigint NOT NULL,
    earned_xp bigint NOT NULL,
    answer bytea,
    received_at timestamp with time zone NOT NULL,
    CONSTRAINT sync_batch_digest_check CHECK ((octet_length(digest) = 32))
);

ALTER TABLE ONLY app.sync_batch FORCE ROW LEVEL SECURITY;

ALTER TABLE app.sync_batch OWNER TO breathmaster_owner;

COMMENT ON TABLE app.sync_batch IS 'What a device sent, by its SHA-256, and what it was answered: the same again gets the same, and its receipt can be read later.';

COMMENT ON COLUMN app.sync_batch.sync_version IS 'The state that the answer handed out. The device names it as its base, once it has taken it over.';

COMMENT ON COLUMN app.sync_batch.handed_xp IS 'The total in that answer: the device''s later claims contain it.';

COMMENT ON COLUMN app.sync_batch.earned_xp IS 'What the device had earned by itself up to then.';

COMMENT ON COLUMN app.sync_batch.answer IS 'JSON in UTF-8; null for an export, which is read from the ledger again.';

CREATE TABLE app.team (
    organization_id uuid NOT NULL,
    team_id uuid NOT NULL,
    name text NOT NULL,
    name_key text GENERATED ALWAYS AS (lower(name)) STORED NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT team_name_invalid CHECK ((((char_length(name) >= 1) AND (char_length(name) <= 320)) AND (name IS NORMALIZED) AND (name !~ '[[:cntrl:]]'::text) AND (name ~ '[^[:space:]]'::text)))
);

ALTER TABLE ONLY app.team FORCE ROW LEVEL SECURITY;

ALTER TABLE app.team OWNER TO breathmaster_owner;

COMMENT ON TABLE app.team IS 'A team within a company that its admins have put together. Those of its directory are in app.directory_group.';

CREATE TABLE app.team_member (
    organization_id uuid NOT NULL,
    team_id uuid NOT NULL,
    uid uuid NOT NULL
);

ALTER TABLE ONLY app.team_member FORCE ROW LEVEL SECURITY;

ALTER TABLE app.team_member OWNER TO breathmaster_owner;

COMMENT ON TABLE app.team_member IS 'Who belongs to which team. Who leaves the company leaves its teams.';

CREATE VIEW board.blocked WITH (security_barrier='true') AS
 SELECT
        CASE
            WHEN (block.uid = ( SELECT app.uid() AS uid)) THEN block.blocked_uid
            ELSE block.uid
        END AS uid
   FROM app.block;

ALTER TABLE board.blocked OWNER TO breathmaster_boards;

COMMENT ON VIEW board.blocked IS 'Those whom the viewer blocked and those who blocked the viewer, by the policy block_between alone: if that showed more blocks, people would be hidden from viewers who have none with them. For the other boards alone.';

CREATE VIEW board.company AS
 SELECT company_standing.organization_id,
    company_standing.period,
    company_standing.uid AS entry_id,
    company_standing.uid,
    (company_standing.uid = ( SELECT app.uid() AS uid)) AS is_mine,
        CASE
            WHEN ( SELECT app.company_shows_real_names() AS company_shows_real_names) THEN COALESCE(company_standing.real_name, company_standing.display_name)
            ELSE company_standing.display_name
        END AS display_name,
    company_standing.avatar_url,
    company_standing.weekly_minutes,
    company_standing.weekly_minutes_at,
    company_standing.weekly_minutes_before,
    company_standing.weekly_consistency,
    company_standing.weekly_consistency_at,
    company_standing.weekly_consistency_before,
    company_standing.team_challenge_participation,
    company_standing.team_challenge_participation_at
   FROM app.company_standing
  WHERE (( SELECT app.uid() AS uid) IS NOT NULL);

ALTER TABLE board.company OWNER TO breathmaster_boards;

COMMENT ON VIEW board.company IS 'weeklyMinutes, weeklyConsistency and teamChallengeParticipation of the members of the bound organization who agreed and are no guests, where it has its board on. Nobody, of a closed week without history.';

CREATE VIEW board.company_season WITH (security_barrier='true') AS
 SELECT company_season.organization_id,
    company_season.period,
    company_season.metric,
    company_season.people,
    sha256((company_season.salt || company_season.digest)) AS digest,
    company_season.finalised_at
   FROM app.company_season
  WHERE ((company_season.finalised_at IS NOT NULL) AND (( SELECT app.uid() AS uid) IS NOT NULL));

ALTER TABLE board.company_season OWNER TO breathmaster_boards;

COMMENT ON VIEW board.company_season IS 'The boards of the bound organization that are history, as board.global_season has them.';

COMMENT ON COLUMN board.company_season.digest IS 'As board.global_season has it.';

CREATE VIEW board.company_season_rank AS
 SELECT company_season_rank.organization_id,
    company_season_rank.period,
    company_season_rank.metric,
    company_season_rank.rank,
    company_season_rank.uid AS entry_id,
    company_season_rank.uid,
    (company_season_rank.uid = ( SELECT app.uid() AS uid)) AS is_mine,
        CASE
            WHEN ( SELECT app.company_shows_real_names() AS company_shows_real_names) THEN COALESCE(company_season_rank.real_name, company_season_rank.display_name)
            ELSE company_season_rank.display_name
        END AS display_name,
    company_season_rank.avatar_url,
    company_season_rank.value,
    company_season_rank.achieved_at
   FROM app.company_season_rank
  WHERE ((( SELECT app.uid() AS uid) IS NOT NULL) AND (EXISTS ( SELECT
           FROM app.company_season s
          WHERE ((s.organization_id = company_season_rank.organization_id) AND (s.period = company_season_rank.period) AND (s.metric = company_season_rank.metric) AND (s.finalised_at IS NOT NULL)))));

ALTER TABLE board.company_season_rank OWNER TO breathmaster_boards;

COMMENT ON VIEW board.company_season_rank IS 'The ranks of the bound organization''s boards that are history, of those who are on that board still.';

CREATE VIEW board.friend WITH (security_barrier='true') AS
 SELECT f.uid,
    f.state,
    f.since,
    u.display_name,
    u.avatar_url
   FROM (( SELECT
                CASE
                    WHEN (friendship.uid = ( SELECT app.uid() AS uid)) THEN friendship.friend_uid
                    ELSE friendship.uid
                END AS uid,
                CASE
                    WHEN (friendship.accepted_at IS NOT NULL) THEN 'friends'::text
                    WHEN (friendship.asked_by = ( SELECT app.uid() AS uid)) THEN 'requested'::text
                    ELSE 'received'::text
                END AS state,
            COALESCE(friendship.accepted_at, friendship.asked_at) AS since
           FROM app.friendship
          WHERE ((friendship.uid = ( SELECT app.uid() AS uid)) OR (friendship.friend_uid = ( SELECT app.uid() AS uid)))) f
     LEFT JOIN app."user" u ON (((u.uid = f.uid) AND (f.state <> 'requested'::text))))
  WHERE (( SELECT app.uid() AS uid) IS NOT NULL);

ALTER TABLE board.friend OWNER TO breathmaster_boards;

COMMENT ON VIEW board.friend IS 'The viewer''s friends and requests, with the names of those who said yes to the viewer.';

CREATE VIEW board.friends WITH (security_barrier='true') AS
 SELECT s.period,
    s.uid AS entry_id,
    s.uid,
    (s.uid = ( SELECT app.uid() AS uid)) AS is_mine,
    u.display_name,
    u.avatar_url,
    s.weekly_xp,
    s.last_session_at AS weekly_xp_at,
    s.weekly_xp_before,
        CASE
            WHEN s.streak_shown THEN s.weekly_streak
            ELSE NULL::integer
        END AS weekly_streak,
        CASE
            WHEN s.streak_shown THEN s.streak_at
            ELSE NULL::timestamp with time zone
        END AS weekly_streak_at,
        CASE
            WHEN s.streak_shown THEN s.weekly_streak_before
            ELSE NULL::integer
        END AS weekly_streak_before,
        CASE
            WHEN u.share_detailed_progress THEN t.total_sessions
            ELSE NULL::integer
        END AS total_sessions,
        CASE
            WHEN u.share_detailed_progress THEN t.last_session_at
            ELSE NULL::timestamp with time zone
        END AS total_sessions_at,
        CASE
            WHEN u.share_detailed_progress THEN t.favorite_patterns
            ELSE NULL::text[]
        END AS favorite_patterns,
        CASE
            WHEN u.show_detailed_stats THEN t.total_xp
            ELSE NULL::integer
        END AS total_xp,
        CASE
            WHEN (u.show_detailed_stats AND s.streak_shown) THEN t.longest_streak
            ELSE NULL::integer
        END AS longest_streak
   FROM ((app.standing s
     JOIN app."user" u ON ((u.uid = s.uid)))
     LEFT JOIN app.standing t ON (((t.uid = s.uid) AND (t.period = 'all-time'::text))))
  WHERE ((( SELECT app.uid() AS uid) IS NOT NULL) AND (NOT (s.uid IN ( SELECT b.uid
           FROM board.blocked b))));

ALTER TABLE board.friends OWNER TO breathmaster_boards;

COMMENT ON VIEW board.friends IS 'weeklyXP and weeklyStreak of the viewer and the friends who share, totalSessions and favoritePatterns of those who share details, and totalXP and longestStreak of those who show what they reached in all time.';

CREATE VIEW board.global AS
 SELECT global_standing.period,
        CASE
            WHEN (global_standing.alias IS NULL) THEN global_standing.uid
            ELSE global_standing.alias
        END AS entry_id,
        CASE
            WHEN (global_standing.alias IS NULL) THEN global_standing.uid
            ELSE NULL::uuid
        END AS uid,
    (global_standing.uid = ( SELECT app.uid() AS uid)) AS is_mine,
    global_standing.display_name,
    global_standing.avatar_url,
    global_standing.stats_shown,
    global_standing.weekly_xp,
    global_standing.weekly_xp_at,
    global_standing.weekly_xp_before,
    global_standing.weekly_streak,
    global_standing.weekly_streak_at,
    global_standing.weekly_streak_before
   FROM app.global_standing
  WHERE (( SELECT app.uid() AS uid) IS NOT NULL);

ALTER TABLE board.global OWNER TO breathmaster_boards;

COMMENT ON VIEW board.global IS 'weeklyXP and weeklyStreak of everyone who opted in, but those between whom and the viewer there is a block. Ranks count them too, by app.global_tally. Who is there under a pseudonym has no uid, and no block hides them: that would tell whose it is.';

CREATE VIEW board.global_count WITH (security_barrier='true') AS
 SELECT counted.period,
    counted.metric,
    counted.level,
    counted.bucket,
    counted.people
   FROM ( SELECT global_tally.period,
            global_tally.metric,
            global_tally.level,
            global_tally.bucket,
            global_tally.people
           FROM app.global_tally
        UNION ALL
         SELECT global_tally_change.period,
            global_tally_change.metric,
            2,
            global_tally_change.value,
            global_tally_change.people
           FROM app.global_tally_change) counted
  WHERE (( SELECT app.uid() AS uid) IS NOT NULL);

ALTER TABLE board.global_count OWNER TO breathmaster_boards;

COMMENT ON VIEW board.global_count IS 'How many people reached what: level 0 by value, 1 by bucket of 128, and 2, by value, what the others don''t contain yet.';

CREATE VIEW board.global_season WITH (security_barrier='true') AS
 SELECT global_season.period,
    global_season.metric,
    global_season.people,
    sha256((global_season.salt || global_season.digest)) AS digest,
    global_season.finalised_at
   FROM app.global_season
  WHERE ((global_season.finalised_at IS NOT NULL) AND (( SELECT app.uid() AS uid) IS NOT NULL));

ALTER TABLE board.global_season OWNER TO breathmaster_boards;

COMMENT ON VIEW board.global_season IS 'The global boards that are history: how many were ranked, and what vouches for the digest of their ranks without telling it.';

COMMENT ON COLUMN board.global_season.digest IS 'SHA-256 of the salt and the digest of the ranks: evidence for whoever keeps both, and for others no way to try who was ranked.';

CREATE VIEW board.global_season_rank AS
 SELECT global_season_rank.period,
    global_season_rank.metric,
    global_season_rank.rank,
        CASE
            WHEN (global_season_rank.alias IS NULL) THEN global_season_rank.uid
            ELSE global_season_rank.alias
        END AS entry_id,
        CASE
            WHEN (global_season_rank.alias IS NULL) THEN global_season_rank.uid
            ELSE NULL::uuid
        END AS uid,
    (global_season_rank.uid = ( SELECT app.uid() AS uid)) AS is_mine,
    global_season_rank.display_name,
    global_season_rank.avatar_url,
    global_season_rank.value,
    global_season_rank.achieved_at
   FROM app.global_season_rank
  WHERE ((( SELECT app.uid() AS uid) IS NOT NULL) AND (EXISTS ( SELECT
           FROM app.global_season s
          WHERE ((s.period = global_season_rank.period) AND (s.metric = global_season_rank.metric) AND (s.finalised_at IS NOT NULL)))));

ALTER TABLE board.global_season_rank OWNER TO breathmaster_boards;

COMMENT ON VIEW board.global_season_rank IS 'The ranks of the global boards that are history, of those who are on that board still, but those between whom and the viewer there is a block.';

CREATE VIEW board.global_total WITH (security_barrier='true') AS
 SELECT global_total.uid,
    global_total.total_xp,
    global_total.longest_streak,
    global_total.total_sessions
   FROM app.global_total
  WHERE (( SELECT app.uid() AS uid) IS NOT NULL);

ALTER TABLE board.global_total OWNER TO breathmaster_boards;

COMMENT ON VIEW board.global_total IS 'What those on the global board have reached in all time who want that seen.';

CREATE VIEW board.member WITH (security_barrier='true') AS
 SELECT m.organization_id,
    m.uid,
    u.display_name,
    u.avatar_url,
    m.role,
    m.joined_at
   FROM (app.member m
     JOIN app."user" u ON ((u.uid = m.uid)))
  WHERE (m.agreed_at IS NOT NULL);

ALTER TABLE board.member OWNER TO breathmaster_boards;

COMMENT ON VIEW board.member IS 'The members of each organization whose members the bound user may list: the name that each chose to be seen by, role and since when. Not those whom a directory has put in and who have not agreed.';

CREATE VIEW board.season WITH (security_barrier='true') AS
 SELECT season.period,
    season.closed_at,
    season.finalised_at
   FROM app.season
  WHERE (( SELECT app.uid() AS uid) IS NOT NULL);

ALTER TABLE board.season OWNER TO breathmaster_boards;

COMMENT ON VIEW board.season IS 'The weeks whose standings no session changes any more.';

CREATE VIEW board.suggestion WITH (security_barrier='true') AS
 SELECT o.organization_id,
    o.name,
    o.leaderboard_enabled,
    o.show_real_names,
    i.invitation_id,
    i.role,
    i.good_until,
    d.domain,
    o.automatic_joining
   FROM ((app.organization o
     LEFT JOIN LATERAL ( SELECT inv.invitation_id,
            inv.role,
            inv.good_until
           FROM app.invitation inv
          WHERE (inv.organization_id = o.organization_id)
          ORDER BY inv.good_until DESC
         LIMIT 1) i ON (true))
     LEFT JOIN LATERAL ( SELECT c.domain
           FROM app.domain_claim c
          WHERE (c.organization_id = o.organization_id)
          ORDER BY c.domain
         LIMIT 1) d ON (true));

ALTER TABLE board.suggestion OWNER TO breathmaster_boards;

COMMENT ON VIEW board.suggestion IS 'The companies that the bound user may be asked into: by an invitation to an address of theirs, or a proved domain in which they have one.';

CREATE VIEW board.week_without_history WITH (security_barrier='true') AS
 SELECT w.period
   FROM app.season w
  WHERE ((w.finalised_at IS NULL) AND (NOT (EXISTS ( SELECT
           FROM app.company_season c
          WHERE ((c.organization_id = ( SELECT app.organization_id() AS organization_id)) AND (c.period = w.period))))));

ALTER TABLE board.week_without_history OWNER TO breathmaster_boards;

COMMENT ON VIEW board.week_without_history IS 'The weeks that are closed, and whose ranks are still to be written, without the bound organization: it had its board off when they were closed. For the other boards alone.';

CREATE TABLE migration.applied (
    version integer NOT NULL,
    name text NOT NULL,
    checksum bytea NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE migration.applied OWNER TO postgres;

ALTER TABLE ONLY app.access_token
    ADD CONSTRAINT access_token_pkey PRIMARY KEY (uid, token_id);

ALTER TABLE ONLY app.account_merge
    ADD CONSTRAINT account_merge_code_taken UNIQUE (code_digest);

ALTER TABLE ONLY app.account_merge
    ADD CONSTRAINT account_merge_pkey PRIMARY KEY (uid);

ALTER TABLE ONLY app.appeal_decision
    ADD CONSTRAINT appeal_decision_pkey PRIMARY KEY (uid, device_id, session_id, started_at);

ALTER TABLE ONLY app.audit_event
    ADD CONSTRAINT audit_event_pkey PRIMARY KEY (uid, happened_at, event_id);

ALTER TABLE ONLY app.block
    ADD CONSTRAINT block_pkey PRIMARY KEY (uid, blocked_uid);

ALTER TABLE ONLY app.company_season
    ADD CONSTRAINT company_season_pkey PRIMARY KEY (organization_id, period, metric);

ALTER TABLE ONLY app.company_season_rank
    ADD CONSTRAINT company_season_rank_pkey PRIMARY KEY (organization_id, uid, period, metric);

ALTER TABLE ONLY app.company_standing
    ADD CONSTRAINT company_standing_pkey PRIMARY KEY (organization_id, period, uid);

ALTER TABLE ONLY app.daily_challenge
    ADD CONSTRAINT daily_challenge_pkey PRIMARY KEY (uid, device_id, epoch, challenge_id);

ALTER TABLE ONLY app.device_approval
    ADD CONSTRAINT device_approval_pkey PRIMARY KEY (uid, request_id);

ALTER TABLE ONLY app.device
    ADD CONSTRAINT device_pkey PRIMARY KEY (uid, device_id);

ALTER TABLE ONLY app.device_request
    ADD CONSTRAINT device_request_code_taken UNIQUE (code_digest);

ALTER TABLE ONLY app.device_request
    ADD CONSTRAINT device_request_pkey PRIMARY KEY (request_id);

ALTER TABLE ONLY app.directory_email
    ADD CONSTRAINT directory_email_pkey PRIMARY KEY (organization_id, email_key, directory_user_id);

ALTER TABLE ONLY app.directory_group
    ADD CONSTRAINT directory_group_external_id_taken UNIQUE (organization_id, external_id);

ALTER TABLE ONLY app.directory_group_member
    ADD CONSTRAINT directory_group_member_pkey PRIMARY KEY (organization_id, directory_group_id, directory_user_id);

ALTER TABLE ONLY app.directory_group
    ADD CONSTRAINT directory_group_name_taken UNIQUE (organization_id, name_key);

ALTER TABLE ONLY app.directory_group
    ADD CONSTRAINT directory_group_pkey PRIMARY KEY (organization_id, directory_group_id);

ALTER TABLE ONLY app.directory_leaver
    ADD CONSTRAINT directory_leaver_pkey PRIMARY KEY (organization_id, digest);

ALTER TABLE ONLY app.directory_tally
    ADD CONSTRAINT directory_tally_pkey PRIMARY KEY (organization_id, shard);

ALTER TABLE ONLY app.directory_user
    ADD CONSTRAINT directory_user_external_id_taken UNIQUE (organization_id, external_id);

ALTER TABLE ONLY app.directory_user
    ADD CONSTRAINT directory_user_name_taken UNIQUE (organization_id, user_key);

ALTER TABLE ONLY app.directory_user
    ADD CONSTRAINT directory_user_pkey PRIMARY KEY (organization_id, directory_user_id);

ALTER TABLE ONLY app.domain_claim
    ADD CONSTRAINT domain_claim_pkey PRIMARY KEY (organization_id, domain);

ALTER TABLE ONLY app.email_claim
    ADD CONSTRAINT email_claim_pkey PRIMARY KEY (uid, address);

ALTER TABLE ONLY app.email_verification
    ADD CONSTRAINT email_verification_pkey PRIMARY KEY (uid, address);

ALTER TABLE ONLY app.friend_code_attempt
    ADD CONSTRAINT friend_code_attempt_pkey PRIMARY KEY (uid);

ALTER TABLE ONLY app.friend_code
    ADD CONSTRAINT friend_code_pkey PRIMARY KEY (uid);

ALTER TABLE ONLY app.friend_code
    ADD CONSTRAINT friend_code_taken UNIQUE (digest);

ALTER TABLE ONLY app.friendship
    ADD CONSTRAINT friendship_pkey PRIMARY KEY (uid, friend_uid);

ALTER TABLE ONLY app.game_state
    ADD CONSTRAINT game_state_pkey PRIMARY KEY (uid);

ALTER TABLE ONLY app.global_season
    ADD CONSTRAINT global_season_pkey PRIMARY KEY (period, metric);

ALTER TABLE ONLY app.global_season_rank
    ADD CONSTRAINT global_season_rank_pkey PRIMARY KEY (uid, period, metric);

ALTER TABLE ONLY app.global_standing
    ADD CONSTRAINT global_standing_pkey PRIMARY KEY (period, uid);

ALTER TABLE ONLY app.global_tally_change
    ADD CONSTRAINT global_tally_change_pkey PRIMARY KEY (change_id);

ALTER TABLE ONLY app.global_tally
    ADD CONSTRAINT global_tally_pkey PRIMARY KEY (period, metric, level, bucket);

ALTER TABLE ONLY app.global_total
    ADD CONSTRAINT global_total_pkey PRIMARY KEY (uid);

ALTER TABLE ONLY app.identity
    ADD CONSTRAINT identity_pkey PRIMARY KEY (uid, issuer);

ALTER TABLE ONLY app.identity
    ADD CONSTRAINT identity_taken UNIQUE (identifier);

ALTER TABLE ONLY app.invitation
    ADD CONSTRAINT invitation_pkey PRIMARY KEY (organization_id, invitation_id);

ALTER TABLE ONLY app.mail_budget
    ADD CONSTRAINT mail_budget_pkey PRIMARY KEY (uid);

ALTER TABLE ONLY app.member
    ADD CONSTRAINT member_pkey PRIMARY KEY (organization_id, uid);

ALTER TABLE ONLY app.organization_deletion
    ADD CONSTRAINT organization_deletion_pkey PRIMARY KEY (organization_id);

ALTER TABLE ONLY app.organization_event_head
    ADD CONSTRAINT organization_event_head_pkey PRIMARY KEY (organization_id);

ALTER TABLE ONLY app.organization_event
    ADD CONSTRAINT organization_event_pkey PRIMARY KEY (organization_id, number);

ALTER TABLE ONLY app.organization_key
    ADD CONSTRAINT organization_key_pkey PRIMARY KEY (organization_id, key_id);

ALTER TABLE ONLY app.organization
    ADD CONSTRAINT organization_pkey PRIMARY KEY (organization_id);

ALTER TABLE ONLY app.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (uid, message_id);

ALTER TABLE ONLY app.ownership_offer
    ADD CONSTRAINT ownership_offer_pkey PRIMARY KEY (organization_id, uid);

ALTER TABLE ONLY app.password
    ADD CONSTRAINT password_pkey PRIMARY KEY (uid);

ALTER TABLE ONLY app.password_reset
    ADD CONSTRAINT password_reset_pkey PRIMARY KEY (reset_id);

ALTER TABLE ONLY app.practice_day
    ADD CONSTRAINT practice_day_pkey PRIMARY KEY (uid, epoch, local_day);

ALTER TABLE ONLY app.pseudonym
    ADD CONSTRAINT pseudonym_pkey PRIMARY KEY (uid, period);

ALTER TABLE ONLY app.rate_limit
    ADD CONSTRAINT rate_limit_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY app.recovery_code
    ADD CONSTRAINT recovery_code_pkey PRIMARY KEY (uid);

ALTER TABLE ONLY app.refresh_token
    ADD CONSTRAINT refresh_token_pkey PRIMARY KEY (uid, family);

ALTER TABLE ONLY app.role_permission
    ADD CONSTRAINT role_permission_pkey PRIMARY KEY (role, permission);

ALTER TABLE ONLY app.season
    ADD CONSTRAINT season_pkey PRIMARY KEY (period);

ALTER TABLE ONLY app.session_appeal
    ADD CONSTRAINT session_appeal_pkey PRIMARY KEY (uid, device_id, session_id, started_at);

ALTER TABLE ONLY app.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (uid, device_id, session_id, started_at);

ALTER TABLE ONLY app.spent_nonce
    ADD CONSTRAINT spent_nonce_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY app.standing
    ADD CONSTRAINT standing_pkey PRIMARY KEY (uid, period);

ALTER TABLE ONLY app.state_entry
    ADD CONSTRAINT state_entry_pkey PRIMARY KEY (uid, field, key);

ALTER TABLE ONLY app.sync_batch
    ADD CONSTRAINT sync_batch_pkey PRIMARY KEY (uid, batch_id);

ALTER TABLE ONLY app.team_member
    ADD CONSTRAINT team_member_pkey PRIMARY KEY (organization_id, team_id, uid);

ALTER TABLE ONLY app.team
    ADD CONSTRAINT team_name_taken UNIQUE (organization_id, name_key);

ALTER TABLE ONLY app.team
    ADD CONSTRAINT team_pkey PRIMARY KEY (organization_id, team_id);

ALTER TABLE ONLY app."user"
    ADD CONSTRAINT user_pkey PRIMARY KEY (uid);

ALTER TABLE ONLY migration.applied
    ADD CONSTRAINT applied_pkey PRIMARY KEY (version);

CREATE INDEX account_merge_into ON app.account_merge USING btree (into_uid);

CREATE INDEX audit_event_sign_ins ON app.audit_event USING btree (uid, source) WHERE (action = 'sign-in.begun'::text);

CREATE INDEX block_by_blocked ON app.block USING btree (blocked_uid);

CREATE INDEX company_season_by_period ON app.company_season USING btree (period);

CREATE INDEX company_season_rank_by_position ON app.company_season_rank USING btree (organization_id, period, metric, "position" DESC);

CREATE INDEX company_season_rank_by_value ON app.company_season_rank USING btree (organization_id, period, metric, value DESC, achieved_at, uid) WHERE shown;

CREATE INDEX company_standing_by_member ON app.company_standing USING btree (uid, organization_id);

CREATE INDEX company_standing_by_minutes ON app.company_standing USING btree (organization_id, period, weekly_minutes DESC, weekly_minutes_at, uid);

CREATE INDEX company_standing_by_period ON app.company_standing USING btree (period, organization_id);

CREATE INDEX device_approval_by_request ON app.device_approval USING btree (request_id);

CREATE INDEX device_request_asked ON app.device_request USING btree (asked_at);

CREATE INDEX directory_email_by_user ON app.directory_email USING btree (organization_id, directory_user_id);

CREATE INDEX directory_group_by_age ON app.directory_group USING btree (organization_id, created_at, directory_group_id);

CREATE INDEX directory_group_member_by_user ON app.directory_group_member USING btree (organization_id, directory_user_id);

CREATE INDEX directory_user_by_address ON app.directory_user USING btree (organization_id, address);

CREATE INDEX directory_user_by_age ON app.directory_user USING btree (organization_id, created_at, directory_user_id);

CREATE INDEX domain_claim_due ON app.domain_claim USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE UNIQUE INDEX domain_claim_taken ON app.domain_claim USING btree (domain) WHERE (proved_at IS NOT NULL);

CREATE INDEX email_claim_by_mailbox ON app.email_claim USING btree (mailbox);

CREATE UNIQUE INDEX email_claim_taken ON app.email_claim USING btree (lower(address));

CREATE INDEX friendship_accepted ON app.friendship USING btree (uid, friend_uid) WHERE (accepted_at IS NOT NULL);

CREATE INDEX friendship_accepted_by_friend ON app.friendship USING btree (friend_uid, uid) WHERE (accepted_at IS NOT NULL);

CREATE INDEX friendship_by_friend ON app.friendship USING btree (friend_uid);

CREATE INDEX global_season_rank_by_position ON app.global_season_rank USING btree (period, metric, "position" DESC);

CREATE INDEX global_season_rank_by_value ON app.global_season_rank USING btree (period, metric, value DESC, achieved_at, (
CASE
    WHEN (alias IS NULL) THEN uid
    ELSE alias
END)) WHERE shown;

CREATE INDEX global_standing_by_streak ON app.global_standing USING btree (period, weekly_streak DESC, weekly_streak_at, (
CASE
    WHEN (alias IS NULL) THEN uid
    ELSE alias
END)) WHERE (weekly_streak IS NOT NULL);

CREATE INDEX global_standing_by_uid ON app.global_standing USING btree (uid);

CREATE INDEX global_standing_by_xp ON app.global_standing USING btree (period, weekly_xp DESC, weekly_xp_at, (
CASE
    WHEN (alias IS NULL) THEN uid
    ELSE alias
END));

CREATE INDEX global_standing_streak_changed ON app.global_standing USING btree (period) WHERE (weekly_streak_before IS NOT NULL);

CREATE INDEX global_standing_xp_changed ON app.global_standing USING btree (period) WHERE (weekly_xp_before IS NOT NULL);

CREATE INDEX global_tally_change_by_value ON app.global_tally_change USING btree (period, metric, value);

CREATE INDEX invitation_by_address ON app.invitation USING btree (lower(address));

CREATE UNIQUE INDEX invitation_of_address ON app.invitation USING btree (organization_id, lower(address));

CREATE INDEX member_by_directory_user ON app.member USING btree (organization_id, directory_user_id);

CREATE INDEX member_by_uid ON app.member USING btree (uid);

CREATE INDEX member_for_another_reason ON app.member USING btree (organization_id, uid) WHERE ((domain IS NULL) AND (directory_user_id IS NULL) AND (shown_domain IS NULL));

CREATE INDEX organization_deletion_due ON app.organization USING btree (deletion_due_at) WHERE (deletion_due_at IS NOT NULL);

CREATE INDEX organization_event_by_time ON app.organization_event USING btree (organization_id, happened_at);

CREATE INDEX outbox_dead ON app.outbox USING btree (dead_at) WHERE (dead_at IS NOT NULL);

CREATE INDEX outbox_due ON app.outbox USING btree (due_at) WHERE (dead_at IS NULL);

CREATE INDEX ownership_offer_by_owner ON app.ownership_offer USING btree (organization_id, offered_by);

CREATE INDEX password_reset_asked ON app.password_reset USING btree (asked_at);

CREATE INDEX password_reset_by_address ON app.password_reset USING btree (lower(address), asked_at);

CREATE INDEX password_reset_waiting ON app.password_reset USING btree (asked_at) WHERE (state = 'waiting'::text);

CREATE INDEX season_unfinished ON app.season USING btree (period) WHERE (finalised_at IS NULL);

CREATE INDEX session_by_time ON app.session USING btree (uid, epoch, began_at);

CREATE INDEX session_by_version ON app.session USING btree (uid, sync_version);

CREATE INDEX spent_nonce_over ON app.spent_nonce USING btree (good_until);

CREATE INDEX sync_batch_answered ON app.sync_batch USING btree (uid, received_at) WHERE (answer IS NOT NULL);

CREATE INDEX sync_batch_by_version ON app.sync_batch USING btree (uid, sync_version);

CREATE INDEX team_member_by_member ON app.team_member USING btree (organization_id, uid);

CREATE TRIGGER company_standing_agreed BEFORE INSERT ON app.company_standing FOR EACH ROW EXECUTE FUNCTION app.require_agreement();

CREATE TRIGGER daily_challenge_bounded AFTER INSERT ON app.daily_challenge REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION app.refuse_more_challenges();

CREATE TRIGGER directory_group_member_added AFTER INSERT ON app.directory_group_member REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION app.note_group_members();

CREATE TRIGGER directory_group_member_removed AFTER DELETE ON app.directory_group_member REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION app.note_group_members();

CREATE CONSTRAINT TRIGGER directory_group_recorded AFTER INSERT OR DELETE OR UPDATE ON app.directory_group DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((COALESCE(current_setting('app.key_origin'::text, true), ''::text) <> ''::text)) EXECUTE FUNCTION app.record_directory_group();

CREATE TRIGGER directory_user_deleted AFTER DELETE ON app.directory_user FOR EACH ROW EXECUTE FUNCTION app.remember_leaver();

CREATE TRIGGER directory_user_followed AFTER INSERT OR UPDATE OF user_name, emails, active ON app.directory_user FOR EACH ROW EXECUTE FUNCTION app.follow_directory();

CREATE TRIGGER directory_user_indexed AFTER INSERT ON app.directory_user FOR EACH ROW WHEN ((new.emails <> '[]'::jsonb)) EXECUTE FUNCTION app.index_directory_emails();

CREATE TRIGGER directory_user_passed_on BEFORE DELETE ON app.directory_user FOR EACH ROW EXECUTE FUNCTION app.pass_on_member();

CREATE CONSTRAINT TRIGGER directory_user_recorded AFTER INSERT OR DELETE OR UPDATE ON app.directory_user DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((COALESCE(current_setting('app.key_origin'::text, true), ''::text) <> ''::text)) EXECUTE FUNCTION app.record_directory_user();

CREATE TRIGGER directory_user_reindexed AFTER UPDATE OF emails ON app.directory_user FOR EACH ROW WHEN ((old.emails IS DISTINCT FROM new.emails)) EXECUTE FUNCTION app.index_directory_emails();

CREATE TRIGGER directory_user_tallied AFTER INSERT OR DELETE ON app.directory_user FOR EACH ROW EXECUTE FUNCTION app.tally_directory();

CREATE TRIGGER domain_claim_ended AFTER DELETE ON app.domain_claim FOR EACH ROW EXECUTE FUNCTION app.forget_shown_domain();

CREATE TRIGGER domain_claim_greeted AFTER INSERT OR UPDATE OF proved_at ON app.domain_claim FOR EACH ROW WHEN ((new.proved_at IS NOT NULL)) EXECUTE FUNCTION app.greet_domain();

CREATE TRIGGER email_claim_ended AFTER DELETE ON app.email_claim FOR EACH ROW EXECUTE FUNCTION app.forget_shown_address();

CREATE TRIGGER email_claim_greeted AFTER INSERT ON app.email_claim FOR EACH ROW EXECUTE FUNCTION app.greet_address();

CREATE TRIGGER global_standing_tallied AFTER INSERT OR DELETE OR UPDATE OF weekly_xp, weekly_streak ON app.global_standing FOR EACH ROW EXECUTE FUNCTION app.tally_global_standing();

CREATE TRIGGER member_admitted BEFORE INSERT ON app.member FOR EACH ROW EXECUTE FUNCTION app.admit_member();

CREATE TRIGGER member_agreed AFTER UPDATE OF agreed_at ON app.member FOR EACH ROW WHEN (((old.agreed_at IS NULL) AND (new.agreed_at IS NOT NULL))) EXECUTE FUNCTION app.project_on_change();

CREATE TRIGGER member_departed AFTER DELETE ON app.member FOR EACH ROW WHEN ((old.directory_user_id IS NOT NULL)) EXECUTE FUNCTION app.note_departure();

CREATE TRIGGER member_joined AFTER INSERT ON app.member FOR EACH ROW WHEN ((new.agreed_at IS NOT NULL)) EXECUTE FUNCTION app.project_on_change();

CREATE TRIGGER member_owner_kept BEFORE DELETE ON app.member FOR EACH ROW WHEN ((old.role = 'owner'::text)) EXECUTE FUNCTION app.keep_an_owner();

CREATE TRIGGER standing_projected AFTER INSERT ON app.standing FOR EACH ROW WHEN ((new.period = 'all-time'::text)) EXECUTE FUNCTION app.project_favorite_patterns();

CREATE TRIGGER state_entry_projected AFTER INSERT OR UPDATE ON app.state_entry FOR EACH STATEMENT EXECUTE FUNCTION app.project_favorite_patterns();

CREATE TRIGGER user_deleted AFTER DELETE ON app."user" FOR EACH ROW EXECUTE FUNCTION app.forget_blocks();

CREATE TRIGGER user_sharing_changed AFTER UPDATE OF share_progress, share_streaks, global_board, friends_board, company_board, display_name, avatar_url, anonymized_display, stats_sharing, hide_from_global_leaderboard, friends_only_visible, show_detailed_stats, real_name, show_real_name ON app."user" FOR EACH ROW WHEN (((((((((((((((old.share_progress IS DISTINCT FROM new.share_progress) OR (old.share_streaks IS DISTINCT FROM new.share_streaks)) OR (old.global_board IS DISTINCT FROM new.global_board)) OR (old.friends_board IS DISTINCT FROM new.friends_board)) OR (old.company_board IS DISTINCT FROM new.company_board)) OR (old.display_name IS DISTINCT FROM new.display_name)) OR (old.avatar_url IS DISTINCT FROM new.avatar_url)) OR (old.anonymized_display IS DISTINCT FROM new.anonymized_display)) OR (old.stats_sharing IS DISTINCT FROM new.stats_sharing)) OR (old.hide_from_global_leaderboard IS DISTINCT FROM new.hide_from_global_leaderboard)) OR (old.friends_only_visible IS DISTINCT FROM new.friends_only_visible)) OR (old.show_detailed_stats IS DISTINCT FROM new.show_detailed_stats)) OR (old.real_name IS DISTINCT FROM new.real_name)) OR (old.show_real_name IS DISTINCT FROM new.show_real_name))) EXECUTE FUNCTION app.project_on_change();

ALTER TABLE ONLY app.access_token
    ADD CONSTRAINT access_token_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.account_merge
    ADD CONSTRAINT account_merge_into_uid_across FOREIGN KEY (into_uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.account_merge
    ADD CONSTRAINT account_merge_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.appeal_decision
    ADD CONSTRAINT appeal_decision_uid_device_id_session_id_started_at_fkey FOREIGN KEY (uid, device_id, session_id, started_at) REFERENCES app.session_appeal(uid, device_id, session_id, started_at) ON DELETE CASCADE;

ALTER TABLE ONLY app.audit_event
    ADD CONSTRAINT audit_event_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.block
    ADD CONSTRAINT block_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.company_season
    ADD CONSTRAINT company_season_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organization(organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.company_season
    ADD CONSTRAINT company_season_period_across FOREIGN KEY (period) REFERENCES app.season(period) ON DELETE CASCADE;

ALTER TABLE ONLY app.company_season_rank
    ADD CONSTRAINT company_season_rank_member FOREIGN KEY (organization_id, uid) REFERENCES app.member(organization_id, uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.company_season_rank
    ADD CONSTRAINT company_season_rank_season FOREIGN KEY (organization_id, period, metric) REFERENCES app.company_season(organization_id, period, metric) ON DELETE CASCADE;

ALTER TABLE ONLY app.company_standing
    ADD CONSTRAINT company_standing_member FOREIGN KEY (organization_id, uid) REFERENCES app.member(organization_id, uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.company_standing
    ADD CONSTRAINT company_standing_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organization(organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.daily_challenge
    ADD CONSTRAINT daily_challenge_uid_device_id_fkey FOREIGN KEY (uid, device_id) REFERENCES app.device(uid, device_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.device_approval
    ADD CONSTRAINT device_approval_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.device
    ADD CONSTRAINT device_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.directory_email
    ADD CONSTRAINT directory_email_user FOREIGN KEY (organization_id, directory_user_id) REFERENCES app.directory_user(organization_id, directory_user_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.directory_group_member
    ADD CONSTRAINT directory_group_member_group FOREIGN KEY (organization_id, directory_group_id) REFERENCES app.directory_group(organization_id, directory_group_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.directory_group_member
    ADD CONSTRAINT directory_group_member_user FOREIGN KEY (organization_id, directory_user_id) REFERENCES app.directory_user(organization_id, directory_user_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.directory_group
    ADD CONSTRAINT directory_group_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organization(organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.directory_leaver
    ADD CONSTRAINT directory_leaver_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organization(organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.directory_tally
    ADD CONSTRAINT directory_tally_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organization(organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.directory_user
    ADD CONSTRAINT directory_user_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organization(organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.domain_claim
    ADD CONSTRAINT domain_claim_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organization(organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.email_claim
    ADD CONSTRAINT email_claim_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.email_verification
    ADD CONSTRAINT email_verification_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.friend_code_attempt
    ADD CONSTRAINT friend_code_attempt_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.friend_code
    ADD CONSTRAINT friend_code_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.friendship
    ADD CONSTRAINT friendship_friend_uid_across FOREIGN KEY (friend_uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.friendship
    ADD CONSTRAINT friendship_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.game_state
    ADD CONSTRAINT game_state_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.global_season
    ADD CONSTRAINT global_season_period_fkey FOREIGN KEY (period) REFERENCES app.season(period) ON DELETE CASCADE;

ALTER TABLE ONLY app.global_season_rank
    ADD CONSTRAINT global_season_rank_season_across FOREIGN KEY (period, metric) REFERENCES app.global_season(period, metric) ON DELETE CASCADE;

ALTER TABLE ONLY app.global_season_rank
    ADD CONSTRAINT global_season_rank_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.global_standing
    ADD CONSTRAINT global_standing_uid_across FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.global_total
    ADD CONSTRAINT global_total_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.identity
    ADD CONSTRAINT identity_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.invitation
    ADD CONSTRAINT invitation_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organization(organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.mail_budget
    ADD CONSTRAINT mail_budget_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.member
    ADD CONSTRAINT member_directory_user FOREIGN KEY (organization_id, directory_user_id) REFERENCES app.directory_user(organization_id, directory_user_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.member
    ADD CONSTRAINT member_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organization(organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.member
    ADD CONSTRAINT member_uid_across FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.organization_event_head
    ADD CONSTRAINT organization_event_head_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organization(organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.organization_event
    ADD CONSTRAINT organization_event_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organization(organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.organization_key
    ADD CONSTRAINT organization_key_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organization(organization_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.outbox
    ADD CONSTRAINT outbox_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.ownership_offer
    ADD CONSTRAINT ownership_offer_member FOREIGN KEY (organization_id, uid) REFERENCES app.member(organization_id, uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.ownership_offer
    ADD CONSTRAINT ownership_offer_owner FOREIGN KEY (organization_id, offered_by) REFERENCES app.member(organization_id, uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.password
    ADD CONSTRAINT password_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.practice_day
    ADD CONSTRAINT practice_day_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.pseudonym
    ADD CONSTRAINT pseudonym_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.recovery_code
    ADD CONSTRAINT recovery_code_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.refresh_token
    ADD CONSTRAINT refresh_token_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.session_appeal
    ADD CONSTRAINT session_appeal_uid_device_id_session_id_started_at_fkey FOREIGN KEY (uid, device_id, session_id, started_at) REFERENCES app.session(uid, device_id, session_id, started_at) ON DELETE CASCADE;

ALTER TABLE ONLY app.session
    ADD CONSTRAINT session_uid_device_id_fkey FOREIGN KEY (uid, device_id) REFERENCES app.device(uid, device_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.standing
    ADD CONSTRAINT standing_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.state_entry
    ADD CONSTRAINT state_entry_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.sync_batch
    ADD CONSTRAINT sync_batch_uid_fkey FOREIGN KEY (uid) REFERENCES app."user"(uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.team_member
    ADD CONSTRAINT team_member_member FOREIGN KEY (organization_id, uid) REFERENCES app.member(organization_id, uid) ON DELETE CASCADE;

ALTER TABLE ONLY app.team_member
    ADD CONSTRAINT team_member_team FOREIGN KEY (organization_id, team_id) REFERENCES app.team(organization_id, team_id) ON DELETE CASCADE;

ALTER TABLE ONLY app.team
    ADD CONSTRAINT team_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organization(organization_id) ON DELETE CASCADE;

ALTER TABLE app.access_token ENABLE ROW LEVEL SECURITY;

CREATE POLICY access_token_self ON app.access_token TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.account_merge ENABLE ROW LEVEL SECURITY;

CREATE POLICY account_merge_delivering ON app.account_merge TO breathmaster_worker USING ((opened_at <= ( SELECT app.delivering() AS delivering))) WITH CHECK ((opened_at <= ( SELECT app.delivering() AS delivering)));

CREATE POLICY account_merge_of_either ON app.account_merge TO breathmaster_api, breathmaster_owner USING (((uid = ( SELECT app.uid() AS uid)) OR (into_uid = ( SELECT app.uid() AS uid)))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.appeal_decision ENABLE ROW LEVEL SECURITY;

CREATE POLICY appeal_decision_self ON app.appeal_decision TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.audit_event ENABLE ROW LEVEL SECURITY;

CREATE POLICY audit_event_forgetting ON app.audit_event TO breathmaster_worker USING ((uid = ( SELECT app.forgetting_uid() AS forgetting_uid))) WITH CHECK ((uid = ( SELECT app.forgetting_uid() AS forgetting_uid)));

CREATE POLICY audit_event_self ON app.audit_event TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.block ENABLE ROW LEVEL SECURITY;

CREATE POLICY block_between ON app.block FOR SELECT TO breathmaster_boards USING (((uid = ( SELECT app.uid() AS uid)) OR (blocked_uid = ( SELECT app.uid() AS uid))));

CREATE POLICY block_of_either ON app.block TO breathmaster_owner USING (((uid = ( SELECT app.uid() AS uid)) OR (blocked_uid = ( SELECT app.uid() AS uid)))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

CREATE POLICY block_self ON app.block TO breathmaster_api USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.company_season ENABLE ROW LEVEL SECURITY;

CREATE POLICY company_season_closing ON app.company_season TO breathmaster_worker USING ((period = ( SELECT app.closing_season() AS closing_season))) WITH CHECK ((period = ( SELECT app.closing_season() AS closing_season)));

CREATE POLICY company_season_members ON app.company_season FOR SELECT TO breathmaster_boards USING ((organization_id = ANY (( SELECT app.own_company_boards() AS own_company_boards)::uuid[])));

ALTER TABLE app.company_season_rank ENABLE ROW LEVEL SECURITY;

CREATE POLICY company_season_rank_closing ON app.company_season_rank TO breathmaster_worker USING ((period = ( SELECT app.closing_season() AS closing_season))) WITH CHECK ((period = ( SELECT app.closing_season() AS closing_season)));

CREATE POLICY company_season_rank_colleagues ON app.company_season_rank FOR SELECT TO breathmaster_boards USING ((shown AND (organization_id = ANY (( SELECT app.own_company_boards() AS own_company_boards)::uuid[])) AND (NOT (uid IN ( SELECT b.uid
   FROM board.blocked b))) AND (NOT (uid IN ( SELECT unnest(app.company_guests()) AS unnest)))));

CREATE POLICY company_season_rank_self ON app.company_season_rank TO breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

CREATE POLICY company_season_rank_tended ON app.company_season_rank TO breathmaster_worker USING ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id))) WITH CHECK ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id)));

ALTER TABLE app.company_standing ENABLE ROW LEVEL SECURITY;

CREATE POLICY company_standing_closing ON app.company_standing FOR SELECT TO breathmaster_worker USING ((period = ( SELECT app.closing_season() AS closing_season)));

CREATE POLICY company_standing_colleagues ON app.company_standing FOR SELECT TO breathmaster_boards USING (((organization_id = ANY (( SELECT app.own_company_boards() AS own_company_boards)::uuid[])) AND (NOT (uid IN ( SELECT b.uid
   FROM board.blocked b))) AND (NOT (uid IN ( SELECT unnest(app.company_guests()) AS unnest))) AND (NOT (period IN ( SELECT w.period
   FROM board.week_without_history w)))));

CREATE POLICY company_standing_self ON app.company_standing TO breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

CREATE POLICY company_standing_tended ON app.company_standing TO breathmaster_worker USING ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id))) WITH CHECK ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id)));

ALTER TABLE app.daily_challenge ENABLE ROW LEVEL SECURITY;

CREATE POLICY daily_challenge_forgetting ON app.daily_challenge TO breathmaster_worker USING ((uid = ( SELECT app.forgetting_uid() AS forgetting_uid))) WITH CHECK ((uid = ( SELECT app.forgetting_uid() AS forgetting_uid)));

CREATE POLICY daily_challenge_self ON app.daily_challenge TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.device ENABLE ROW LEVEL SECURITY;

ALTER TABLE app.device_approval ENABLE ROW LEVEL SECURITY;

CREATE POLICY device_approval_delivering ON app.device_approval TO breathmaster_worker USING ((approved_at <= ( SELECT app.delivering() AS delivering))) WITH CHECK ((approved_at <= ( SELECT app.delivering() AS delivering)));

CREATE POLICY device_approval_self ON app.device_approval TO breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.device_request ENABLE ROW LEVEL SECURITY;

CREATE POLICY device_request_delivering ON app.device_request TO breathmaster_worker USING ((asked_at <= ( SELECT app.delivering() AS delivering))) WITH CHECK ((asked_at <= ( SELECT app.delivering() AS delivering)));

CREATE POLICY device_self ON app.device TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.directory_email ENABLE ROW LEVEL SECURITY;

CREATE POLICY directory_email_followed ON app.directory_email TO breathmaster_worker USING ((organization_id = ( SELECT app.followed_organization_id() AS followed_organization_id))) WITH CHECK ((organization_id = ( SELECT app.followed_organization_id() AS followed_organization_id)));

CREATE POLICY directory_email_provisioned ON app.directory_email FOR SELECT TO breathmaster_api USING ((organization_id = ( SELECT app.key_organization_id() AS key_organization_id)));

ALTER TABLE app.directory_group ENABLE ROW LEVEL SECURITY;

ALTER TABLE app.directory_group_member ENABLE ROW LEVEL SECURITY;

CREATE POLICY directory_group_member_provisioned ON app.directory_group_member TO breathmaster_api USING ((organization_id = ( SELECT app.key_organization_id() AS key_organization_id))) WITH CHECK ((organization_id = ( SELECT app.key_organization_id() AS key_organization_id)));

CREATE POLICY directory_group_member_tended ON app.directory_group_member TO breathmaster_worker USING ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id))) WITH CHECK ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id)));

CREATE POLICY directory_group_provisioned ON app.directory_group TO breathmaster_api USING ((organization_id = ( SELECT app.key_organization_id() AS key_organization_id))) WITH CHECK ((organization_id = ( SELECT app.key_organization_id() AS key_organization_id)));

CREATE POLICY directory_group_tended ON app.directory_group TO breathmaster_worker USING ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id))) WITH CHECK ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id)));

ALTER TABLE app.directory_leaver ENABLE ROW LEVEL SECURITY;

CREATE POLICY directory_leaver_followed ON app.directory_leaver TO breathmaster_worker USING ((organization_id = ( SELECT app.followed_organization_id() AS followed_organization_id))) WITH CHECK ((organization_id = ( SELECT app.followed_organization_id() AS followed_organization_id)));

CREATE POLICY directory_leaver_tended ON app.directory_leaver TO breathmaster_worker USING ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id))) WITH CHECK ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id)));

ALTER TABLE app.directory_tally ENABLE ROW LEVEL SECURITY;

CREATE POLICY directory_tally_followed ON app.directory_tally TO breathmaster_worker USING ((organization_id = ( SELECT app.followed_organization_id() AS followed_organization_id))) WITH CHECK ((organization_id = ( SELECT app.followed_organization_id() AS followed_organization_id)));

CREATE POLICY directory_tally_provisioned ON app.directory_tally TO breathmaster_api USING ((organization_id = ( SELECT app.key_organization_id() AS key_organization_id))) WITH CHECK ((organization_id = ( SELECT app.key_organization_id() AS key_organization_id)));

CREATE POLICY directory_tally_tended ON app.directory_tally TO breathmaster_worker USING ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id))) WITH CHECK ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id)));

ALTER TABLE app.directory_user ENABLE ROW LEVEL SECURITY;

CREATE POLICY directory_user_followed ON app.directory_user TO breathmaster_worker USING ((organization_id = ( SELECT app.followed_organization_id() AS followed_organization_id))) WITH CHECK ((organization_id = ( SELECT app.followed_organization_id() AS followed_organization_id)));

CREATE POLICY directory_user_provisioned ON app.directory_user TO breathmaster_api USING ((organization_id = ( SELECT app.key_organization_id() AS key_organization_id))) WITH CHECK ((organization_id = ( SELECT app.key_organization_id() AS key_organization_id)));

CREATE POLICY directory_user_tended ON app.directory_user TO breathmaster_worker USING ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id))) WITH CHECK ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id)));

ALTER TABLE app.domain_claim ENABLE ROW LEVEL SECURITY;

CREATE POLICY domain_claim_bound ON app.domain_claim TO breathmaster_api, breathmaster_owner USING ((organization_id = ( SELECT app.organization_id() AS organization_id))) WITH CHECK ((organization_id = ( SELECT app.organization_id() AS organization_id)));

CREATE POLICY domain_claim_own ON app.domain_claim FOR SELECT TO breathmaster_boards USING (((proved_at IS NOT NULL) AND (domain = ANY (( SELECT app.own_domains() AS own_domains)::text[]))));

CREATE POLICY domain_claim_provisioned ON app.domain_claim FOR SELECT TO breathmaster_worker USING ((organization_id = ( SELECT app.followed_organization_id() AS followed_organization_id)));

CREATE POLICY domain_claim_tended ON app.domain_claim TO breathmaster_worker USING ((claimed_at <= ( SELECT app.tending() AS tending))) WITH CHECK ((claimed_at <= ( SELECT app.tending() AS tending)));

ALTER TABLE app.email_claim ENABLE ROW LEVEL SECURITY;

CREATE POLICY email_claim_addressed ON app.email_claim FOR SELECT TO breathmaster_worker USING ((mailbox = ( SELECT app.addressed() AS addressed)));

CREATE POLICY email_claim_provisioned ON app.email_claim FOR SELECT TO breathmaster_worker USING ((domain = ANY (( SELECT app.provisioned_domains() AS provisioned_domains)::text[])));

CREATE POLICY email_claim_self ON app.email_claim TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.email_verification ENABLE ROW LEVEL SECURITY;

CREATE POLICY email_verification_self ON app.email_verification TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.friend_code ENABLE ROW LEVEL SECURITY;

ALTER TABLE app.friend_code_attempt ENABLE ROW LEVEL SECURITY;

CREATE POLICY friend_code_attempt_self ON app.friend_code_attempt TO breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

CREATE POLICY friend_code_found ON app.friend_code FOR SELECT TO breathmaster_boards USING ((( SELECT app.uid() AS uid) IS NOT NULL));

CREATE POLICY friend_code_self ON app.friend_code TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.friendship ENABLE ROW LEVEL SECURITY;

CREATE POLICY friendship_of_either ON app.friendship TO breathmaster_owner USING (((uid = ( SELECT app.uid() AS uid)) OR (friend_uid = ( SELECT app.uid() AS uid)))) WITH CHECK (((uid = ( SELECT app.uid() AS uid)) OR (friend_uid = ( SELECT app.uid() AS uid))));

CREATE POLICY friendship_shown ON app.friendship FOR SELECT TO breathmaster_boards USING ((((uid = ( SELECT app.uid() AS uid)) OR (friend_uid = ( SELECT app.uid() AS uid))) AND ((declined_at IS NULL) OR ((asked_by = ( SELECT app.uid() AS uid)) AND (withdrawn_at IS NULL)))));

ALTER TABLE app.game_state ENABLE ROW LEVEL SECURITY;

CREATE POLICY game_state_forgetting ON app.game_state TO breathmaster_worker USING ((uid = ( SELECT app.forgetting_uid() AS forgetting_uid))) WITH CHECK ((uid = ( SELECT app.forgetting_uid() AS forgetting_uid)));

CREATE POLICY game_state_self ON app.game_state TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.global_season_rank ENABLE ROW LEVEL SECURITY;

CREATE POLICY global_season_rank_closing ON app.global_season_rank TO breathmaster_worker USING ((period = ( SELECT app.closing_season() AS closing_season))) WITH CHECK ((period = ( SELECT app.closing_season() AS closing_season)));

CREATE POLICY global_season_rank_everyone ON app.global_season_rank FOR SELECT TO breathmaster_boards USING ((shown AND (( SELECT app.uid() AS uid) IS NOT NULL) AND ((alias IS NOT NULL) OR (NOT (uid IN ( SELECT b.uid
   FROM board.blocked b))))));

CREATE POLICY global_season_rank_self ON app.global_season_rank TO breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.global_standing ENABLE ROW LEVEL SECURITY;

CREATE POLICY global_standing_closing ON app.global_standing FOR SELECT TO breathmaster_worker USING ((period = ( SELECT app.closing_season() AS closing_season)));

CREATE POLICY global_standing_everyone ON app.global_standing FOR SELECT TO breathmaster_boards USING (((( SELECT app.uid() AS uid) IS NOT NULL) AND ((alias IS NOT NULL) OR (NOT (uid IN ( SELECT b.uid
   FROM board.blocked b))))));

CREATE POLICY global_standing_self ON app.global_standing TO breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.global_total ENABLE ROW LEVEL SECURITY;

CREATE POLICY global_total_everyone ON app.global_total FOR SELECT TO breathmaster_boards USING (((( SELECT app.uid() AS uid) IS NOT NULL) AND (NOT (uid IN ( SELECT b.uid
   FROM board.blocked b)))));

CREATE POLICY global_total_self ON app.global_total TO breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.identity ENABLE ROW LEVEL SECURITY;

CREATE POLICY identity_identified ON app.identity FOR SELECT TO breathmaster_worker USING ((identifier = ( SELECT app.identified() AS identified)));

CREATE POLICY identity_self ON app.identity TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.invitation ENABLE ROW LEVEL SECURITY;

CREATE POLICY invitation_bound ON app.invitation TO breathmaster_owner USING ((organization_id = ( SELECT app.organization_id() AS organization_id))) WITH CHECK ((organization_id = ( SELECT app.organization_id() AS organization_id)));

CREATE POLICY invitation_managed ON app.invitation FOR SELECT TO breathmaster_api USING ((organization_id = ANY (( SELECT app.permitted_organization_ids('invitations.manage'::text) AS permitted_organization_ids)::uuid[])));

CREATE POLICY invitation_own ON app.invitation FOR SELECT TO breathmaster_boards USING ((lower(address) = ANY (( SELECT app.own_addresses() AS own_addresses)::text[])));

CREATE POLICY invitation_tended ON app.invitation TO breathmaster_worker USING ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id))) WITH CHECK ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id)));

ALTER TABLE app.mail_budget ENABLE ROW LEVEL SECURITY;

CREATE POLICY mail_budget_self ON app.mail_budget TO breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.member ENABLE ROW LEVEL SECURITY;

CREATE POLICY member_administered ON app.member FOR SELECT TO breathmaster_boards USING ((organization_id = ANY (( SELECT app.permitted_organization_ids('members.read'::text) AS permitted_organization_ids)::uuid[])));

CREATE POLICY member_provisioned ON app.member TO breathmaster_worker USING ((organization_id = ( SELECT app.followed_organization_id() AS followed_organization_id))) WITH CHECK ((organization_id = ( SELECT app.followed_organization_id() AS followed_organization_id)));

CREATE POLICY member_self ON app.member TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

CREATE POLICY member_tended ON app.member TO breathmaster_worker USING ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id))) WITH CHECK ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id)));

ALTER TABLE app.organization ENABLE ROW LEVEL SECURITY;

CREATE POLICY organization_belonged_to ON app.organization FOR SELECT TO breathmaster_owner USING ((organization_id = ANY (( SELECT app.own_organization_ids() AS own_organization_ids)::uuid[])));

CREATE POLICY organization_bound ON app.organization TO breathmaster_owner USING ((organization_id = ( SELECT app.organization_id() AS organization_id))) WITH CHECK ((organization_id = ( SELECT app.organization_id() AS organization_id)));

ALTER TABLE app.organization_deletion ENABLE ROW LEVEL SECURITY;

CREATE POLICY organization_deletion_bound ON app.organization_deletion TO breathmaster_owner USING ((organization_id = ( SELECT app.organization_id() AS organization_id))) WITH CHECK ((organization_id = ( SELECT app.organization_id() AS organization_id)));

CREATE POLICY organization_deletion_tended ON app.organization_deletion TO breathmaster_worker USING ((asked_at <= ( SELECT app.tending() AS tending))) WITH CHECK ((asked_at <= ( SELECT app.tending() AS tending)));

CREATE POLICY organization_ended ON app.organization FOR DELETE TO breathmaster_worker USING (((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id)) AND (deletion_due_at <= ( SELECT app.tending() AS tending))));

ALTER TABLE app.organization_event ENABLE ROW LEVEL SECURITY;

CREATE POLICY organization_event_added ON app.organization_event FOR INSERT TO breathmaster_owner WITH CHECK ((organization_id = ( SELECT app.organization_id() AS organization_id)));

CREATE POLICY organization_event_audited ON app.organization_event FOR SELECT TO breathmaster_api USING ((organization_id = ANY (( SELECT app.permitted_organization_ids('audit.read'::text) AS permitted_organization_ids)::uuid[])));

CREATE POLICY organization_event_forgotten ON app.organization_event FOR DELETE TO breathmaster_worker USING (((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id)) AND (happened_at <= ( SELECT app.tending() AS tending))));

ALTER TABLE app.organization_event_head ENABLE ROW LEVEL SECURITY;

CREATE POLICY organization_event_head_bound ON app.organization_event_head TO breathmaster_owner USING ((organization_id = ( SELECT app.organization_id() AS organization_id))) WITH CHECK ((organization_id = ( SELECT app.organization_id() AS organization_id)));

CREATE POLICY organization_event_head_tended ON app.organization_event_head TO breathmaster_worker USING ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id))) WITH CHECK ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id)));

CREATE POLICY organization_event_kept ON app.organization_event FOR SELECT TO breathmaster_owner USING ((organization_id = ( SELECT app.organization_id() AS organization_id)));

CREATE POLICY organization_event_tended ON app.organization_event FOR SELECT TO breathmaster_worker USING ((happened_at <= ( SELECT app.tending() AS tending)));

CREATE POLICY organization_followed ON app.organization FOR SELECT TO breathmaster_worker USING ((organization_id = ( SELECT app.followed_organization_id() AS followed_organization_id)));

CREATE POLICY organization_inviting ON app.organization FOR SELECT TO breathmaster_boards USING (((suspended_at IS NULL) AND (deletion_due_at IS NULL) AND (organization_id = ANY (( SELECT app.inviting_organization_ids() AS inviting_organization_ids)::uuid[]))));

CREATE POLICY organization_joined ON app.organization FOR SELECT TO breathmaster_api USING ((organization_id = ANY (( SELECT app.own_organization_ids() AS own_organization_ids)::uuid[])));

ALTER TABLE app.organization_key ENABLE ROW LEVEL SECURITY;

CREATE POLICY organization_key_bound ON app.organization_key TO breathmaster_owner USING ((organization_id = ( SELECT app.key_organization_id() AS key_organization_id))) WITH CHECK ((organization_id = ( SELECT app.key_organization_id() AS key_organization_id)));

CREATE POLICY organization_key_managed ON app.organization_key FOR SELECT TO breathmaster_api USING ((organization_id = ANY (( SELECT app.permitted_organization_ids('keys.manage'::text) AS permitted_organization_ids)::uuid[])));

CREATE POLICY organization_key_tended ON app.organization_key TO breathmaster_worker USING ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id))) WITH CHECK ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id)));

CREATE POLICY organization_tended ON app.organization FOR SELECT TO breathmaster_worker USING ((created_at <= ( SELECT app.tending() AS tending)));

ALTER TABLE app.outbox ENABLE ROW LEVEL SECURITY;

CREATE POLICY outbox_delivering ON app.outbox TO breathmaster_worker USING ((written_at <= ( SELECT app.delivering() AS delivering))) WITH CHECK ((written_at <= ( SELECT app.delivering() AS delivering)));

CREATE POLICY outbox_self ON app.outbox TO breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.ownership_offer ENABLE ROW LEVEL SECURITY;

CREATE POLICY ownership_offer_bound ON app.ownership_offer TO breathmaster_owner USING ((organization_id = ( SELECT app.organization_id() AS organization_id))) WITH CHECK ((organization_id = ( SELECT app.organization_id() AS organization_id)));

CREATE POLICY ownership_offer_concerned ON app.ownership_offer FOR SELECT TO breathmaster_api USING (((uid = ( SELECT app.uid() AS uid)) OR (offered_by = ( SELECT app.uid() AS uid))));

ALTER TABLE app.password ENABLE ROW LEVEL SECURITY;

ALTER TABLE app.password_reset ENABLE ROW LEVEL SECURITY;

CREATE POLICY password_reset_delivering ON app.password_reset TO breathmaster_worker USING ((asked_at <= ( SELECT app.delivering() AS delivering))) WITH CHECK ((asked_at <= ( SELECT app.delivering() AS delivering)));

CREATE POLICY password_self ON app.password TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.practice_day ENABLE ROW LEVEL SECURITY;

CREATE POLICY practice_day_self ON app.practice_day TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.pseudonym ENABLE ROW LEVEL SECURITY;

CREATE POLICY pseudonym_self ON app.pseudonym TO breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.recovery_code ENABLE ROW LEVEL SECURITY;

CREATE POLICY recovery_code_self ON app.recovery_code TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.refresh_token ENABLE ROW LEVEL SECURITY;

CREATE POLICY refresh_token_self ON app.refresh_token TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.session ENABLE ROW LEVEL SECURITY;

ALTER TABLE app.session_appeal ENABLE ROW LEVEL SECURITY;

CREATE POLICY session_appeal_self ON app.session_appeal TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

CREATE POLICY session_forgetting ON app.session TO breathmaster_worker USING ((uid = ( SELECT app.forgetting_uid() AS forgetting_uid))) WITH CHECK ((uid = ( SELECT app.forgetting_uid() AS forgetting_uid)));

CREATE POLICY session_self ON app.session TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.spent_nonce ENABLE ROW LEVEL SECURITY;

CREATE POLICY spent_nonce_delivering ON app.spent_nonce TO breathmaster_worker USING ((spent_at <= ( SELECT app.delivering() AS delivering))) WITH CHECK ((spent_at <= ( SELECT app.delivering() AS delivering)));

ALTER TABLE app.standing ENABLE ROW LEVEL SECURITY;

CREATE POLICY standing_circle ON app.standing FOR SELECT TO breathmaster_boards USING ((with_friends AND (uid = ANY (( SELECT app.circle() AS circle)::uuid[]))));

CREATE POLICY standing_self ON app.standing TO breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.state_entry ENABLE ROW LEVEL SECURITY;

CREATE POLICY state_entry_self ON app.state_entry TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.sync_batch ENABLE ROW LEVEL SECURITY;

CREATE POLICY sync_batch_forgetting ON app.sync_batch TO breathmaster_worker USING ((uid = ( SELECT app.forgetting_uid() AS forgetting_uid))) WITH CHECK ((uid = ( SELECT app.forgetting_uid() AS forgetting_uid)));

CREATE POLICY sync_batch_kept ON app.sync_batch AS RESTRICTIVE FOR DELETE TO breathmaster_api USING (((uid = ( SELECT app.uid() AS uid)) AND (received_at < (now() - '30 days'::interval))));

CREATE POLICY sync_batch_self ON app.sync_batch TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

ALTER TABLE app.team ENABLE ROW LEVEL SECURITY;

CREATE POLICY team_bound ON app.team TO breathmaster_owner USING ((organization_id = ( SELECT app.organization_id() AS organization_id))) WITH CHECK ((organization_id = ( SELECT app.organization_id() AS organization_id)));

CREATE POLICY team_managed ON app.team FOR SELECT TO breathmaster_api USING ((organization_id = ANY (( SELECT app.permitted_organization_ids('teams.manage'::text) AS permitted_organization_ids)::uuid[])));

ALTER TABLE app.team_member ENABLE ROW LEVEL SECURITY;

CREATE POLICY team_member_bound ON app.team_member TO breathmaster_owner USING ((organization_id = ( SELECT app.organization_id() AS organization_id))) WITH CHECK ((organization_id = ( SELECT app.organization_id() AS organization_id)));

CREATE POLICY team_member_managed ON app.team_member FOR SELECT TO breathmaster_api USING ((organization_id = ANY (( SELECT app.permitted_organization_ids('teams.manage'::text) AS permitted_organization_ids)::uuid[])));

CREATE POLICY team_member_tended ON app.team_member TO breathmaster_worker USING ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id))) WITH CHECK ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id)));

CREATE POLICY team_tended ON app.team TO breathmaster_worker USING ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id))) WITH CHECK ((organization_id = ( SELECT app.tended_organization_id() AS tended_organization_id)));

ALTER TABLE app."user" ENABLE ROW LEVEL SECURITY;

CREATE POLICY user_audited ON app."user" FOR SELECT TO breathmaster_worker USING ((uid > ( SELECT app.auditing() AS auditing)));

CREATE POLICY user_named ON app."user" FOR SELECT TO breathmaster_boards USING ((( SELECT app.uid() AS uid) IS NOT NULL));

CREATE POLICY user_self ON app."user" TO breathmaster_api, breathmaster_owner USING ((uid = ( SELECT app.uid() AS uid))) WITH CHECK ((uid = ( SELECT app.uid() AS uid)));

GRANT USAGE ON SCHEMA app TO breathmaster_api;
GRANT USAGE ON SCHEMA app TO breathmaster_boards;
GRANT USAGE ON SCHEMA app TO breathmaster_worker;

GRANT USAGE ON SCHEMA board TO breathmaster_api;
GRANT ALL ON SCHEMA board TO breathmaster_boards;

GRANT USAGE ON SCHEMA migration TO breathmaster_api;

REVOKE ALL ON FUNCTION app.accept_ownership(of_organization uuid, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.accept_ownership(of_organization uuid, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.account_that_goes(digest bytea, asked_by uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.account_that_goes(digest bytea, asked_by uuid, at timestamp with time zone) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.add_access_token(id uuid, hash bytea, name text, scopes text[], at timestamp with time zone, until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.add_access_token(id uuid, hash bytea, name text, scopes text[], at timestamp with time zone, until timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.add_organization_key(organization uuid, id uuid, hash bytea, name text, scopes text[], sources text[], until timestamp with time zone, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.add_organization_key(organization uuid, id uuid, hash bytea, name text, scopes text[], sources text[], until timestamp with time zone, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.addressed() FROM PUBLIC;
GRANT ALL ON FUNCTION app.addressed() TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.addressed_organization_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION app.addressed_organization_ids() TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.administrators(of_organization uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.administrators(of_organization uuid, at timestamp with time zone) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.admit_member() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.agree_to_account_merge(digest bytea, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.agree_to_account_merge(digest bytea, at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.answer_device_request(id uuid, is_approved boolean, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.answer_device_request(id uuid, is_approved boolean, at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.ask_deletion(of_organization uuid, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.ask_deletion(of_organization uuid, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.ask_device_sign_in(id uuid, secret_hash bytea, digest bytea, called text, from_source text, at timestamp with time zone, until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.ask_device_sign_in(id uuid, secret_hash bytea, digest bytea, called text, from_source text, at timestamp with time zone, until timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.ask_email(asked_address text, code_seed uuid, code_digest bytea, at timestamp with time zone, until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.ask_email(asked_address text, code_seed uuid, code_digest bytea, at timestamp with time zone, until timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.ask_friend(other uuid, invited boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.ask_password_reset(id uuid, given text, code_seed uuid, code_digest bytea, at timestamp with time zone, until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.ask_password_reset(id uuid, given text, code_seed uuid, code_digest bytea, at timestamp with time zone, until timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.audit_season(week text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.audit_season(week text) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.audit_tally(week text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.audit_tally(week text) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.audited_weeks() FROM PUBLIC;
GRANT ALL ON FUNCTION app.audited_weeks() TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.auditing() FROM PUBLIC;
GRANT ALL ON FUNCTION app.auditing() TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.await_turn(organization uuid, mailbox text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.await_turn(organization uuid, mailbox text) TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.befriend(other uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.befriend(other uuid) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.begin_change(of_organization uuid, asked text) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.begin_deletion(of_organization uuid, origin app.origin, by_actor text) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.bind(bound_uid uuid, bound_organization uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.bind(bound_uid uuid, bound_organization uuid) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.bind(bound_uid uuid, bound_organization uuid, bound_family uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.bind(bound_uid uuid, bound_organization uuid, bound_family uuid, at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.bind(bound_uid uuid, bound_organization uuid, token uuid, given bytea, scope text, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.bind(bound_uid uuid, bound_organization uuid, token uuid, given bytea, scope text, at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.bind_organization(bound_organization uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.bind_organization(organization uuid, id uuid, given bytea, wanted text[], origin app.origin, source text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.bind_organization(organization uuid, id uuid, given bytea, wanted text[], origin app.origin, source text) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.block_person(other uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.block_person(other uuid) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.cancel_deletion(of_organization uuid, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.cancel_deletion(of_organization uuid, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.change_organization(of_organization uuid, changes jsonb, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.change_organization(of_organization uuid, changes jsonb, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.change_role(of_organization uuid, who uuid, given text, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.change_role(of_organization uuid, who uuid, given text, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.change_team_member(of_organization uuid, id uuid, who uuid, belongs boolean, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.change_team_member(of_organization uuid, id uuid, who uuid, belongs boolean, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.changed_group_members(of_group uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.circle() FROM PUBLIC;
GRANT ALL ON FUNCTION app.circle() TO breathmaster_boards;
GRANT ALL ON FUNCTION app.circle() TO breathmaster_api;

REVOKE ALL ON FUNCTION app.claim_domain(of_organization uuid, wanted text, new_token text, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.claim_domain(of_organization uuid, wanted text, new_token text, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.close_seasons(weeks text[], at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.close_seasons(weeks text[], at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.closing_season() FROM PUBLIC;
GRANT ALL ON FUNCTION app.closing_season() TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.company_guests() FROM PUBLIC;
GRANT ALL ON FUNCTION app.company_guests() TO breathmaster_api;
GRANT ALL ON FUNCTION app.company_guests() TO breathmaster_boards;

REVOKE ALL ON FUNCTION app.company_shows_real_names() FROM PUBLIC;
GRANT ALL ON FUNCTION app.company_shows_real_names() TO breathmaster_api;
GRANT ALL ON FUNCTION app.company_shows_real_names() TO breathmaster_boards;

REVOKE ALL ON FUNCTION app.confirm_account_merge(stays uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.confirm_account_merge(stays uuid, at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.create_organization(called text, held_domain text, owner_uid uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.create_team(of_organization uuid, id uuid, called text, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.create_team(of_organization uuid, id uuid, called text, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.dead_mail(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.dead_mail(at timestamp with time zone) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.delete_account(origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.delete_account(origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.delete_organizations(at timestamp with time zone, most integer, OUT removed integer, OUT finished uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.delete_organizations(at timestamp with time zone, most integer, OUT removed integer, OUT finished uuid) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.delete_team(of_organization uuid, id uuid, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.delete_team(of_organization uuid, id uuid, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.deletion_receipt(of_organization uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.delivering() FROM PUBLIC;
GRANT ALL ON FUNCTION app.delivering() TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.device_request_by_code(digest bytea, at timestamp with time zone, OUT id uuid, OUT called text, OUT from_source text, OUT since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.device_request_by_code(digest bytea, at timestamp with time zone, OUT id uuid, OUT called text, OUT from_source text, OUT since timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.directory_address(user_name text, emails jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION app.directory_address(user_name text, emails jsonb) TO breathmaster_api;
GRANT ALL ON FUNCTION app.directory_address(user_name text, emails jsonb) TO breathmaster_worker;

GRANT SELECT,DELETE ON TABLE app.directory_user TO breathmaster_api;
GRANT SELECT,DELETE ON TABLE app.directory_user TO breathmaster_worker;

GRANT INSERT(organization_id) ON TABLE app.directory_user TO breathmaster_api;

GRANT INSERT(directory_user_id) ON TABLE app.directory_user TO breathmaster_api;

GRANT INSERT(user_name),UPDATE(user_name) ON TABLE app.directory_user TO breathmaster_api;

GRANT INSERT(external_id),UPDATE(external_id) ON TABLE app.directory_user TO breathmaster_api;

GRANT INSERT(display_name),UPDATE(display_name) ON TABLE app.directory_user TO breathmaster_api;

GRANT INSERT(formatted_name),UPDATE(formatted_name) ON TABLE app.directory_user TO breathmaster_api;

GRANT INSERT(family_name),UPDATE(family_name) ON TABLE app.directory_user TO breathmaster_api;

GRANT INSERT(given_name),UPDATE(given_name) ON TABLE app.directory_user TO breathmaster_api;

GRANT INSERT(emails),UPDATE(emails) ON TABLE app.directory_user TO breathmaster_api;

GRANT INSERT(active),UPDATE(active) ON TABLE app.directory_user TO breathmaster_api;

GRANT UPDATE(declined) ON TABLE app.directory_user TO breathmaster_worker;

GRANT UPDATE(version) ON TABLE app.directory_user TO breathmaster_api;

GRANT INSERT(created_at) ON TABLE app.directory_user TO breathmaster_api;

GRANT INSERT(changed_at),UPDATE(changed_at) ON TABLE app.directory_user TO breathmaster_api;

REVOKE ALL ON FUNCTION app.directory_entry(entry app.directory_user) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.domains_to_check(at timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.domains_to_check(at timestamp with time zone, most integer) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.end_membership(of_organization uuid, who uuid, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.end_membership(of_organization uuid, who uuid, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.end_memberships_by(of_organization uuid, held_domain text, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.end_memberships_by(of_organization uuid, held_domain text, at timestamp with time zone) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.enter_account_that_goes(digest bytea, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.enter_account_that_goes(digest bytea, at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.enter_account_that_stays(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.enter_account_that_stays(at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.enter_by_device_request(id uuid, shown bytea, at timestamp with time zone, OUT outcome text, OUT entered uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.enter_by_device_request(id uuid, shown bytea, at timestamp with time zone, OUT outcome text, OUT entered uuid) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.enter_by_identity(of_issuer text, of_subject text, shown_address text, vouched_address text, nonce bytea, at timestamp with time zone, until timestamp with time zone, OUT outcome text, OUT entered uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.enter_by_identity(of_issuer text, of_subject text, shown_address text, vouched_address text, nonce bytea, at timestamp with time zone, until timestamp with time zone, OUT outcome text, OUT entered uuid) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.enter_by_password_reset(id uuid, shown_digest bytea, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.enter_by_password_reset(id uuid, shown_digest bytea, at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.enter_by_recovery_code(of_uid uuid, shown bytea, next bytea, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.enter_by_recovery_code(of_uid uuid, shown bytea, next bytea, at timestamp with time zone) TO breathmaster_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.state_entry TO breathmaster_api;

REVOKE ALL ON FUNCTION app.favorite_patterns(person uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.finalise_board(week text, organization uuid, measure text, most integer, at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.finalise_season(week text, most integer, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.finalise_season(week text, most integer, at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.fold_global_tally(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.fold_global_tally(most integer) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.follow_directory() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.followed_organization_id() FROM PUBLIC;
GRANT ALL ON FUNCTION app.followed_organization_id() TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.forget_account_merges(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.forget_account_merges(at timestamp with time zone) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.forget_blocks() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.forget_detail(place uuid, at timestamp with time zone, people integer, most integer, OUT next_place uuid, OUT forgotten integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.forget_detail(place uuid, at timestamp with time zone, people integer, most integer, OUT next_place uuid, OUT forgotten integer) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.forget_device_approvals() FROM PUBLIC;
GRANT ALL ON FUNCTION app.forget_device_approvals() TO breathmaster_api;

REVOKE ALL ON FUNCTION app.forget_organization_events(at timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.forget_organization_events(at timestamp with time zone, most integer) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.forget_password_resets(addresses text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION app.forget_password_resets(addresses text[]) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.forget_rate_limits(at timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.forget_rate_limits(at timestamp with time zone, most integer) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.forget_recovery_code() FROM PUBLIC;
GRANT ALL ON FUNCTION app.forget_recovery_code() TO breathmaster_api;

REVOKE ALL ON FUNCTION app.forget_shown_address() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.forget_shown_domain() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.forgetting_uid() FROM PUBLIC;
GRANT ALL ON FUNCTION app.forgetting_uid() TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.found_organization(called text, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.found_organization(called text, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.friend_code_owner(given bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION app.friend_code_owner(given bytea) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.friend_door(whom uuid, OUT asks_welcome boolean, OUT codes_welcome boolean, OUT accepts boolean, OUT closed boolean, OUT code_made_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.friend_places() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.greet_address() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.greet_directory(of_organization uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.greet_directory(of_organization uuid) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.greet_domain() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.has_only_owner(of_organization uuid, who uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.has_only_owner(of_organization uuid, who uuid) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.has_other_owner(of_organization uuid, than uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.has_other_owner(of_organization uuid, than uuid) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.identified() FROM PUBLIC;
GRANT ALL ON FUNCTION app.identified() TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.index_directory_emails() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.invite(of_organization uuid, id uuid, whom text, given text, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.invite(of_organization uuid, id uuid, whom text, given text, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.inviting_organization_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION app.inviting_organization_ids() TO breathmaster_api;
GRANT ALL ON FUNCTION app.inviting_organization_ids() TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.is_guest_of(of_organization uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.is_guest_of(of_organization uuid) TO breathmaster_api;
GRANT ALL ON FUNCTION app.is_guest_of(of_organization uuid) TO breathmaster_owner;

GRANT SELECT ON TABLE app."user" TO breathmaster_api;

GRANT SELECT(uid) ON TABLE app."user" TO breathmaster_boards;
GRANT SELECT(uid) ON TABLE app."user" TO breathmaster_worker;

GRANT UPDATE(display_name) ON TABLE app."user" TO breathmaster_api;
GRANT SELECT(display_name) ON TABLE app."user" TO breathmaster_boards;

GRANT UPDATE(avatar_url) ON TABLE app."user" TO breathmaster_api;
GRANT SELECT(avatar_url) ON TABLE app."user" TO breathmaster_boards;

GRANT UPDATE(share_progress) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(share_streaks) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(allow_friend_requests) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(global_board) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(friends_board) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(company_board) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(preferred_sync_frequency) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(day_starts_at) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(auto_accept_friends) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(share_detailed_progress) ON TABLE app."user" TO breathmaster_api;
GRANT SELECT(share_detailed_progress) ON TABLE app."user" TO breathmaster_boards;

GRANT UPDATE(anonymized_display) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(stats_sharing) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(hide_from_global_leaderboard) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(friends_only_visible) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(show_detailed_stats) ON TABLE app."user" TO breathmaster_api;
GRANT SELECT(show_detailed_stats) ON TABLE app."user" TO breathmaster_boards;

GRANT UPDATE(real_name) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(show_real_name) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(hides_global_board) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(hides_friends_board) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(hides_company_board) ON TABLE app."user" TO breathmaster_api;

GRANT UPDATE(data_retention) ON TABLE app."user" TO breathmaster_api;
GRANT SELECT(data_retention) ON TABLE app."user" TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.is_on_company_boards(person app."user") FROM PUBLIC;
GRANT ALL ON FUNCTION app.is_on_company_boards(person app."user") TO breathmaster_api;

REVOKE ALL ON FUNCTION app.is_on_global_board(person app."user") FROM PUBLIC;
GRANT ALL ON FUNCTION app.is_on_global_board(person app."user") TO breathmaster_api;

REVOKE ALL ON FUNCTION app.join_organization(joined uuid, agreed text, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.join_organization(joined uuid, agreed text, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.joining_agreement(of_organization uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.joining_agreement(of_organization uuid, at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.joining_preview(of_organization uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.joining_preview(of_organization uuid, at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.keep_an_owner() FROM PUBLIC;

GRANT ALL ON FUNCTION app.key_organization_id() TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.leaver_digest(organization uuid, mailbox text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.leaver_digest(organization uuid, mailbox text) TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.link_identity(of_issuer text, of_subject text, shown_address text, vouched_address text, nonce bytea, at timestamp with time zone, until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.link_identity(of_issuer text, of_subject text, shown_address text, vouched_address text, nonce bytea, at timestamp with time zone, until timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.mail_about_domain(whom uuid[], of_kind text, held_domain text, at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.mail_refused(of_uid uuid, message uuid, attempt integer, why text, for_good boolean, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.mail_refused(of_uid uuid, message uuid, attempt integer, why text, for_good boolean, at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.mail_taken(of_uid uuid, message uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.mail_taken(of_uid uuid, message uuid, at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.managed_organization_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION app.managed_organization_ids() TO breathmaster_api;

GRANT SELECT ON TABLE app.member TO breathmaster_api;
GRANT DELETE ON TABLE app.member TO breathmaster_worker;

GRANT SELECT(organization_id) ON TABLE app.member TO breathmaster_boards;
GRANT SELECT(organization_id),INSERT(organization_id) ON TABLE app.member TO breathmaster_worker;

GRANT SELECT(uid) ON TABLE app.member TO breathmaster_boards;
GRANT SELECT(uid),INSERT(uid) ON TABLE app.member TO breathmaster_worker;

GRANT SELECT(role) ON TABLE app.member TO breathmaster_boards;
GRANT SELECT(role),INSERT(role) ON TABLE app.member TO breathmaster_worker;

GRANT SELECT(joined_at) ON TABLE app.member TO breathmaster_boards;

GRANT SELECT(domain),INSERT(domain),UPDATE(domain) ON TABLE app.member TO breathmaster_worker;

GRANT SELECT(agreed_at),INSERT(agreed_at) ON TABLE app.member TO breathmaster_worker;
GRANT SELECT(agreed_at) ON TABLE app.member TO breathmaster_boards;

GRANT SELECT(directory_user_id),INSERT(directory_user_id),UPDATE(directory_user_id) ON TABLE app.member TO breathmaster_worker;

GRANT SELECT(shown_domain),UPDATE(shown_domain) ON TABLE app.member TO breathmaster_worker;

GRANT SELECT ON TABLE app.organization TO breathmaster_api;
GRANT DELETE ON TABLE app.organization TO breathmaster_worker;

GRANT SELECT(organization_id) ON TABLE app.organization TO breathmaster_worker;
GRANT SELECT(organization_id) ON TABLE app.organization TO breathmaster_boards;

GRANT SELECT(name) ON TABLE app.organization TO breathmaster_boards;

GRANT SELECT(created_at) ON TABLE app.organization TO breathmaster_worker;

GRANT SELECT(leaderboard_enabled) ON TABLE app.organization TO breathmaster_boards;
GRANT SELECT(leaderboard_enabled) ON TABLE app.organization TO breathmaster_worker;

GRANT SELECT(show_real_names) ON TABLE app.organization TO breathmaster_boards;

GRANT SELECT(audit_retention_days) ON TABLE app.organization TO breathmaster_worker;

GRANT SELECT(domain_restricted) ON TABLE app.organization TO breathmaster_worker;

GRANT SELECT(automatic_joining) ON TABLE app.organization TO breathmaster_boards;

GRANT SELECT(deletion_due_at) ON TABLE app.organization TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.may(who app.member, company app.organization, asked text) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.note_departure() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.note_group_members() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.note_key_use(id uuid, day date) FROM PUBLIC;
GRANT ALL ON FUNCTION app.note_key_use(id uuid, day date) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.notify_of_password(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.notify_of_password(at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.offer_ownership(of_organization uuid, whom uuid, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.offer_ownership(of_organization uuid, whom uuid, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.open_account_merge(digest bytea, at timestamp with time zone, until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.open_account_merge(digest bytea, at timestamp with time zone, until timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.order_deletion(of_organization uuid, origin app.origin) FROM PUBLIC;

REVOKE ALL ON TABLE app.organization_event FROM breathmaster_owner;
GRANT SELECT,INSERT,REFERENCES,DELETE,TRIGGER ON TABLE app.organization_event TO breathmaster_owner;
GRANT SELECT ON TABLE app.organization_event TO breathmaster_api;
GRANT DELETE ON TABLE app.organization_event TO breathmaster_worker;

GRANT SELECT(organization_id) ON TABLE app.organization_event TO breathmaster_worker;

GRANT SELECT(number) ON TABLE app.organization_event TO breathmaster_worker;

GRANT SELECT(happened_at) ON TABLE app.organization_event TO breathmaster_worker;

GRANT SELECT(hash) ON TABLE app.organization_event TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.organization_event_hash(event app.organization_event, previous bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.organization_numbers(of_organization uuid, week text, at timestamp with time zone, OUT owners bigint, OUT admins bigint, OUT analysts bigint, OUT members bigint, OUT invitations bigint, OUT active integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.organization_numbers(of_organization uuid, week text, at timestamp with time zone, OUT owners bigint, OUT admins bigint, OUT analysts bigint, OUT members bigint, OUT invitations bigint, OUT active integer) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.organization_overview(of_organization uuid, week text, at timestamp with time zone, OUT owners bigint, OUT admins bigint, OUT analysts bigint, OUT members bigint, OUT invitations bigint, OUT active integer, OUT proved bigint, OUT lost bigint, OUT pending bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION app.organization_overview(of_organization uuid, week text, at timestamp with time zone, OUT owners bigint, OUT admins bigint, OUT analysts bigint, OUT members bigint, OUT invitations bigint, OUT active integer, OUT proved bigint, OUT lost bigint, OUT pending bigint) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.organization_settings(of_organization app.organization) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.other_entry(entry app.directory_user) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.outbox_has_room(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.outbox_has_room(at timestamp with time zone) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.own_addresses() FROM PUBLIC;
GRANT ALL ON FUNCTION app.own_addresses() TO breathmaster_api;
GRANT ALL ON FUNCTION app.own_addresses() TO breathmaster_boards;

REVOKE ALL ON FUNCTION app.own_company_boards() FROM PUBLIC;
GRANT ALL ON FUNCTION app.own_company_boards() TO breathmaster_api;
GRANT ALL ON FUNCTION app.own_company_boards() TO breathmaster_boards;
GRANT ALL ON FUNCTION app.own_company_boards() TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.own_domains() FROM PUBLIC;
GRANT ALL ON FUNCTION app.own_domains() TO breathmaster_api;
GRANT ALL ON FUNCTION app.own_domains() TO breathmaster_boards;

REVOKE ALL ON FUNCTION app.own_organization_ids() FROM PUBLIC;
GRANT ALL ON FUNCTION app.own_organization_ids() TO breathmaster_api;
GRANT ALL ON FUNCTION app.own_organization_ids() TO breathmaster_boards;

REVOKE ALL ON FUNCTION app.own_permissions(of_organization uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.own_permissions(of_organization uuid) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.pass_on_member() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.password_by_email(given text, from_source text, OUT found_uid uuid, OUT found_phc text, OUT knows_source boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION app.password_by_email(given text, from_source text, OUT found_uid uuid, OUT found_phc text, OUT knows_source boolean) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.people_after(place uuid, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.people_after(place uuid, most integer) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.permitted_organization_ids(asked text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.permitted_organization_ids(asked text) TO breathmaster_api;
GRANT ALL ON FUNCTION app.permitted_organization_ids(asked text) TO breathmaster_boards;

REVOKE ALL ON FUNCTION app.post_mail(message uuid, of_kind text, to_address text, of_seed uuid, at timestamp with time zone, until timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.post_password_resets(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.post_password_resets(at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.project_favorite_patterns() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.project_on_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.project_standings() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.prove_domain(of_organization uuid, claimed text, seen text[], origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.prove_domain(of_organization uuid, claimed text, seen text[], origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.provisioned_domains() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.pseudonym_name(alias uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.publish_standings(changed text[], ended text[], periods text[], weekly_xps integer[], weekly_streaks integer[], weekly_minuteses integer[], practised_dayses integer[], total_xps integer[], longest_streaks integer[], total_sessionses integer[], last_session_ats timestamp with time zone[], last_day_ats timestamp with time zone[], streak_ats timestamp with time zone[]) FROM PUBLIC;
GRANT ALL ON FUNCTION app.publish_standings(changed text[], ended text[], periods text[], weekly_xps integer[], weekly_streaks integer[], weekly_minuteses integer[], practised_dayses integer[], total_xps integer[], longest_streaks integer[], total_sessionses integer[], last_session_ats timestamp with time zone[], last_day_ats timestamp with time zone[], streak_ats timestamp with time zone[]) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.recheck_domain(of_organization uuid, held text, seen text[], origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.recheck_domain(of_organization uuid, held text, seen text[], origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.record_by_key(of_organization uuid, done text, done_to text, old jsonb, new jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.record_directory_group() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.record_directory_user() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.record_email(of_uid uuid, of_address text) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.record_organization_event(of_organization uuid, done text, done_to text, old jsonb, new jsonb, origin app.origin, by_actor text) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.redeem_friend_code(given bytea, OUT friend uuid, OUT state text, OUT retry_after integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.redeem_friend_code(given bytea, OUT friend uuid, OUT state text, OUT retry_after integer) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.refuse_more_challenges() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.refuse_more_sessions(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.refuse_more_sessions(most integer) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.register() FROM PUBLIC;
GRANT ALL ON FUNCTION app.register() TO breathmaster_api;

REVOKE ALL ON FUNCTION app.release_domain(of_organization uuid, held text, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.release_domain(of_organization uuid, held text, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.remember_leaver() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.rename_team(of_organization uuid, id uuid, called text, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.rename_team(of_organization uuid, id uuid, called text, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.require_agreement() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.require_friend_place(asks boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.require_owner_may_go(of_organization uuid, who uuid, who_is text) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.require_permission(of_organization uuid, asked text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.require_permission(of_organization uuid, asked text) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.require_recent_member(of_organization uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.require_recent_sign_in(of_organization uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.restricting_domains() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.retry_mail(message uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.retry_mail(message uuid, at timestamp with time zone) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.revoke_invitation(of_organization uuid, id uuid, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.revoke_invitation(of_organization uuid, id uuid, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.revoke_organization_key(organization uuid, id uuid, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.revoke_organization_key(organization uuid, id uuid, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.role_in(of_organization uuid, who uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.role_in(of_organization uuid, who uuid) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.settle_account_merge(digest bytea, stays uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.settle_account_merge(digest bytea, stays uuid, at timestamp with time zone) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.settle_device_request(id uuid, new_state text, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.settle_device_request(id uuid, new_state text, at timestamp with time zone) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.shows_totals_globally(person app."user") FROM PUBLIC;

REVOKE ALL ON FUNCTION app.sign_in_is_recent(hours integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.spend_device_request(id uuid, shown bytea, at timestamp with time zone, OUT outcome text, OUT approver uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.spend_device_request(id uuid, shown bytea, at timestamp with time zone, OUT outcome text, OUT approver uuid) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.spend_nonce(shown bytea, at timestamp with time zone, until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.spend_nonce(shown bytea, at timestamp with time zone, until timestamp with time zone) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.spend_password_reset(id uuid, shown_digest bytea, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.spend_password_reset(id uuid, shown_digest bytea, at timestamp with time zone) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.suspend_organization(of_organization uuid, closed boolean, origin app.origin) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.take(subjects bytea[], quotas integer[], seconds integer[], at timestamp with time zone, OUT refused integer, OUT retry_after integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.take(subjects bytea[], quotas integer[], seconds integer[], at timestamp with time zone, OUT refused integer, OUT retry_after integer) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.take_mail(most integer, at timestamp with time zone, lease interval) FROM PUBLIC;
GRANT ALL ON FUNCTION app.take_mail(most integer, at timestamp with time zone, lease interval) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.take_over_account(goes uuid, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.take_over_account(goes uuid, origin app.origin) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.take_turns(one uuid, another uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.tally_directory() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.tally_global_standing() FROM PUBLIC;

REVOKE ALL ON FUNCTION app.team_on_board(week text, asked uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.team_on_board(week text, asked uuid) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.teams_on_board(week text, asked uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.teams_on_board(week text, asked uuid) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.tending() FROM PUBLIC;
GRANT ALL ON FUNCTION app.tending() TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.tended_organization_id() FROM PUBLIC;
GRANT ALL ON FUNCTION app.tended_organization_id() TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.uid_by_email(given text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.uid_by_email(given text) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.uid_by_identity(of_issuer text, of_subject text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.uid_by_identity(of_issuer text, of_subject text) TO breathmaster_owner;

REVOKE ALL ON FUNCTION app.uids_behind_blocks() FROM PUBLIC;
GRANT ALL ON FUNCTION app.uids_behind_blocks() TO breathmaster_worker;

REVOKE ALL ON FUNCTION app.unfinished_seasons(weeks text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION app.unfinished_seasons(weeks text[]) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.unfriend(other uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION app.unfriend(other uuid) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.unlink_identity(of_issuer text) FROM PUBLIC;
GRANT ALL ON FUNCTION app.unlink_identity(of_issuer text) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.verify_email(shown_address text, shown_digest bytea, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION app.verify_email(shown_address text, shown_digest bytea, at timestamp with time zone) TO breathmaster_api;

REVOKE ALL ON FUNCTION app.verify_organization_events(of_organization uuid, OUT events bigint, OUT wrong bigint, OUT why text, OUT last_number bigint, OUT last_hash bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION app.withdraw_ownership_offer(of_organization uuid, origin app.origin) FROM PUBLIC;
GRANT ALL ON FUNCTION app.withdraw_ownership_offer(of_organization uuid, origin app.origin) TO breathmaster_api;

GRANT DELETE ON TABLE app.access_token TO breathmaster_api;

GRANT SELECT(uid) ON TABLE app.access_token TO breathmaster_api;

GRANT SELECT(token_id) ON TABLE app.access_token TO breathmaster_api;

GRANT SELECT(name) ON TABLE app.access_token TO breathmaster_api;

GRANT SELECT(scopes) ON TABLE app.access_token TO breathmaster_api;

GRANT SELECT(created_at) ON TABLE app.access_token TO breathmaster_api;

GRANT SELECT(expires_at) ON TABLE app.access_token TO breathmaster_api;

GRANT SELECT(used_on),UPDATE(used_on) ON TABLE app.access_token TO breathmaster_api;

GRANT DELETE ON TABLE app.account_merge TO breathmaster_api;
GRANT SELECT,DELETE ON TABLE app.account_merge TO breathmaster_worker;

GRANT SELECT(uid) ON TABLE app.account_merge TO breathmaster_api;

GRANT SELECT(good_until) ON TABLE app.account_merge TO breathmaster_api;

GRANT SELECT(into_uid) ON TABLE app.account_merge TO breathmaster_api;
GRANT UPDATE(into_uid) ON TABLE app.account_merge TO breathmaster_worker;

GRANT SELECT(agreed_at) ON TABLE app.account_merge TO breathmaster_api;
GRANT UPDATE(agreed_at) ON TABLE app.account_merge TO breathmaster_worker;

GRANT SELECT ON TABLE app.appeal_decision TO breathmaster_api;

GRANT SELECT,INSERT ON TABLE app.audit_event TO breathmaster_api;
GRANT DELETE ON TABLE app.audit_event TO breathmaster_worker;

GRANT SELECT(uid) ON TABLE app.audit_event TO breathmaster_worker;

GRANT SELECT(happened_at) ON TABLE app.audit_event TO breathmaster_worker;

GRANT SELECT(event_id) ON TABLE app.audit_event TO breathmaster_worker;

GRANT SELECT,DELETE ON TABLE app.block TO breathmaster_api;

GRANT SELECT(uid) ON TABLE app.block TO breathmaster_boards;

GRANT SELECT(blocked_uid) ON TABLE app.block TO breathmaster_boards;

GRANT SELECT,INSERT ON TABLE app.company_season TO breathmaster_worker;
GRANT SELECT ON TABLE app.company_season TO breathmaster_boards;

GRANT UPDATE(people) ON TABLE app.company_season TO breathmaster_worker;

GRANT UPDATE(last_rank) ON TABLE app.company_season TO breathmaster_worker;

GRANT UPDATE(last_value) ON TABLE app.company_season TO breathmaster_worker;

GRANT UPDATE(digest) ON TABLE app.company_season TO breathmaster_worker;

GRANT UPDATE(finalised_at) ON TABLE app.company_season TO breathmaster_worker;

GRANT UPDATE(last_at) ON TABLE app.company_season TO breathmaster_worker;

GRANT SELECT,INSERT,DELETE ON TABLE app.company_season_rank TO breathmaster_worker;
GRANT SELECT ON TABLE app.company_season_rank TO breathmaster_boards;

GRANT SELECT ON TABLE app.company_standing TO breathmaster_boards;
GRANT SELECT,DELETE ON TABLE app.company_standing TO breathmaster_worker;

GRANT SELECT,INSERT ON TABLE app.daily_challenge TO breathmaster_api;
GRANT DELETE ON TABLE app.daily_challenge TO breathmaster_worker;

GRANT SELECT(uid) ON TABLE app.daily_challenge TO breathmaster_worker;

GRANT SELECT(device_id) ON TABLE app.daily_challenge TO breathmaster_worker;

GRANT SELECT(epoch) ON TABLE app.daily_challenge TO breathmaster_worker;

GRANT SELECT(challenge_id) ON TABLE app.daily_challenge TO breathmaster_worker;

GRANT UPDATE(local_day) ON TABLE app.daily_challenge TO breathmaster_api;
GRANT SELECT(local_day) ON TABLE app.daily_challenge TO breathmaster_worker;

GRANT UPDATE(kind) ON TABLE app.daily_challenge TO breathmaster_api;

GRANT UPDATE(target) ON TABLE app.daily_challenge TO breathmaster_api;

GRANT UPDATE(reward_xp) ON TABLE app.daily_challenge TO breathmaster_api;

GRANT UPDATE(completed) ON TABLE app.daily_challenge TO breathmaster_api;

GRANT UPDATE(expired) ON TABLE app.daily_challenge TO breathmaster_api;

GRANT SELECT,INSERT,UPDATE ON TABLE app.device TO breathmaster_api;

GRANT SELECT,DELETE ON TABLE app.device_approval TO breathmaster_worker;

GRANT SELECT,INSERT,DELETE ON TABLE app.device_request TO breathmaster_worker;

GRANT UPDATE(next_poll_at) ON TABLE app.device_request TO breathmaster_worker;

GRANT UPDATE(poll_seconds) ON TABLE app.device_request TO breathmaster_worker;

GRANT UPDATE(state) ON TABLE app.device_request TO breathmaster_worker;

GRANT SELECT ON TABLE app.directory_email TO breathmaster_api;
GRANT SELECT,INSERT,DELETE ON TABLE app.directory_email TO breathmaster_worker;

GRANT SELECT,DELETE ON TABLE app.directory_group TO breathmaster_api;
GRANT DELETE ON TABLE app.directory_group TO breathmaster_worker;

GRANT INSERT(organization_id) ON TABLE app.directory_group TO breathmaster_api;
GRANT SELECT(organization_id) ON TABLE app.directory_group TO breathmaster_worker;

GRANT INSERT(directory_group_id) ON TABLE app.directory_group TO breathmaster_api;
GRANT SELECT(directory_group_id) ON TABLE app.directory_group TO breathmaster_worker;

GRANT INSERT(display_name),UPDATE(display_name) ON TABLE app.directory_group TO breathmaster_api;
GRANT SELECT(display_name) ON TABLE app.directory_group TO breathmaster_worker;

GRANT INSERT(external_id),UPDATE(external_id) ON TABLE app.directory_group TO breathmaster_api;

GRANT UPDATE(version) ON TABLE app.directory_group TO breathmaster_api;

GRANT INSERT(created_at) ON TABLE app.directory_group TO breathmaster_api;

GRANT INSERT(changed_at),UPDATE(changed_at) ON TABLE app.directory_group TO breathmaster_api;

GRANT SELECT,INSERT,DELETE ON TABLE app.directory_group_member TO breathmaster_api;
GRANT DELETE ON TABLE app.directory_group_member TO breathmaster_worker;

GRANT SELECT(organization_id) ON TABLE app.directory_group_member TO breathmaster_worker;

GRANT SELECT(directory_group_id) ON TABLE app.directory_group_member TO breathmaster_worker;

GRANT SELECT(directory_user_id) ON TABLE app.directory_group_member TO breathmaster_worker;

GRANT SELECT,INSERT,DELETE ON TABLE app.directory_leaver TO breathmaster_worker;

GRANT SELECT ON TABLE app.directory_tally TO breathmaster_api;
GRANT SELECT,INSERT,DELETE ON TABLE app.directory_tally TO breathmaster_worker;

GRANT UPDATE(users) ON TABLE app.directory_tally TO breathmaster_worker;

GRANT SELECT ON TABLE app.domain_claim TO breathmaster_api;
GRANT DELETE ON TABLE app.domain_claim TO breathmaster_worker;

GRANT SELECT(organization_id) ON TABLE app.domain_claim TO breathmaster_worker;
GRANT SELECT(organization_id) ON TABLE app.domain_claim TO breathmaster_boards;

GRANT SELECT(domain) ON TABLE app.domain_claim TO breathmaster_worker;
GRANT SELECT(domain) ON TABLE app.domain_claim TO breathmaster_boards;

GRANT SELECT(proved_at) ON TABLE app.domain_claim TO breathmaster_worker;
GRANT SELECT(proved_at) ON TABLE app.domain_claim TO breathmaster_boards;

GRANT SELECT(claimed_at) ON TABLE app.domain_claim TO breathmaster_worker;

GRANT SELECT(due_at),UPDATE(due_at) ON TABLE app.domain_claim TO breathmaster_worker;

GRANT SELECT,DELETE ON TABLE app.email_claim TO breathmaster_api;

GRANT SELECT(uid) ON TABLE app.email_claim TO breathmaster_worker;

GRANT SELECT(address) ON TABLE app.email_claim TO breathmaster_worker;

GRANT SELECT(domain) ON TABLE app.email_claim TO breathmaster_worker;

GRANT SELECT(mailbox) ON TABLE app.email_claim TO breathmaster_worker;

GRANT DELETE ON TABLE app.email_verification TO breathmaster_api;

GRANT SELECT(uid) ON TABLE app.email_verification TO breathmaster_api;

GRANT SELECT(address) ON TABLE app.email_verification TO breathmaster_api;

GRANT SELECT(asked_at) ON TABLE app.email_verification TO breathmaster_api;

GRANT SELECT(good_until) ON TABLE app.email_verification TO breathmaster_api;

GRANT SELECT,DELETE ON TABLE app.friend_code TO breathmaster_api;

GRANT INSERT(uid) ON TABLE app.friend_code TO breathmaster_api;
GRANT SELECT(uid) ON TABLE app.friend_code TO breathmaster_boards;

GRANT INSERT(seed),UPDATE(seed) ON TABLE app.friend_code TO breathmaster_api;

GRANT INSERT(digest),UPDATE(digest) ON TABLE app.friend_code TO breathmaster_api;
GRANT SELECT(digest) ON TABLE app.friend_code TO breathmaster_boards;

GRANT UPDATE(made_at) ON TABLE app.friend_code TO breathmaster_api;
GRANT SELECT(made_at) ON TABLE app.friend_code TO breathmaster_boards;

GRANT SELECT(uid) ON TABLE app.friendship TO breathmaster_boards;

GRANT SELECT(friend_uid) ON TABLE app.friendship TO breathmaster_boards;

GRANT SELECT(asked_by) ON TABLE app.friendship TO breathmaster_boards;

GRANT SELECT(asked_at) ON TABLE app.friendship TO breathmaster_boards;

GRANT SELECT(accepted_at) ON TABLE app.friendship TO breathmaster_boards;

GRANT SELECT ON TABLE app.game_state TO breathmaster_api;

GRANT SELECT(uid) ON TABLE app.game_state TO breathmaster_worker;

GRANT UPDATE(epoch) ON TABLE app.game_state TO breathmaster_api;
GRANT SELECT(epoch) ON TABLE app.game_state TO breathmaster_worker;

GRANT UPDATE(epoch_started_at) ON TABLE app.game_state TO breathmaster_api;
GRANT SELECT(epoch_started_at) ON TABLE app.game_state TO breathmaster_worker;

GRANT UPDATE(eligible_at) ON TABLE app.game_state TO breathmaster_api;

GRANT UPDATE(sync_version) ON TABLE app.game_state TO breathmaster_api;

GRANT UPDATE(last_modified) ON TABLE app.game_state TO breathmaster_api;

GRANT UPDATE(last_device_id) ON TABLE app.game_state TO breathmaster_api;

GRANT UPDATE(total_xp) ON TABLE app.game_state TO breathmaster_api;

GRANT UPDATE(legacy_xp) ON TABLE app.game_state TO breathmaster_api;

GRANT UPDATE(total_sessions) ON TABLE app.game_state TO breathmaster_api;

GRANT UPDATE(active_ms) ON TABLE app.game_state TO breathmaster_api;

GRANT UPDATE(streak_days) ON TABLE app.game_state TO breathmaster_api;

GRANT UPDATE(streak_ends_on) ON TABLE app.game_state TO breathmaster_api;

GRANT UPDATE(longest_streak) ON TABLE app.game_state TO breathmaster_api;

GRANT UPDATE(floor_xp) ON TABLE app.game_state TO breathmaster_api;

GRANT SELECT(detail_from),UPDATE(detail_from) ON TABLE app.game_state TO breathmaster_worker;

GRANT SELECT,INSERT ON TABLE app.global_season TO breathmaster_worker;
GRANT SELECT ON TABLE app.global_season TO breathmaster_boards;

GRANT UPDATE(people) ON TABLE app.global_season TO breathmaster_worker;

GRANT UPDATE(last_rank) ON TABLE app.global_season TO breathmaster_worker;

GRANT UPDATE(last_value) ON TABLE app.global_season TO breathmaster_worker;

GRANT UPDATE(digest) ON TABLE app.global_season TO breathmaster_worker;

GRANT UPDATE(finalised_at) ON TABLE app.global_season TO breathmaster_worker;

GRANT UPDATE(last_at) ON TABLE app.global_season TO breathmaster_worker;

GRANT SELECT,INSERT ON TABLE app.global_season_rank TO breathmaster_worker;
GRANT SELECT ON TABLE app.global_season_rank TO breathmaster_boards;

GRANT SELECT ON TABLE app.global_standing TO breathmaster_boards;

GRANT SELECT(period) ON TABLE app.global_standing TO breathmaster_worker;

GRANT SELECT(uid) ON TABLE app.global_standing TO breathmaster_worker;

GRANT SELECT(weekly_xp) ON TABLE app.global_standing TO breathmaster_worker;

GRANT SELECT(weekly_xp_at) ON TABLE app.global_standing TO breathmaster_worker;

GRANT SELECT(weekly_streak) ON TABLE app.global_standing TO breathmaster_worker;

GRANT SELECT(weekly_streak_at) ON TABLE app.global_standing TO breathmaster_worker;

GRANT SELECT(display_name) ON TABLE app.global_standing TO breathmaster_worker;

GRANT SELECT(avatar_url) ON TABLE app.global_standing TO breathmaster_worker;

GRANT SELECT(alias) ON TABLE app.global_standing TO breathmaster_worker;

GRANT SELECT ON TABLE app.global_tally TO breathmaster_boards;
GRANT SELECT ON TABLE app.global_tally TO breathmaster_worker;

GRANT SELECT ON TABLE app.global_tally_change TO breathmaster_boards;
GRANT SELECT ON TABLE app.global_tally_change TO breathmaster_worker;

GRANT SELECT ON TABLE app.global_total TO breathmaster_boards;

GRANT SELECT(uid) ON TABLE app.identity TO breathmaster_api;
GRANT SELECT(uid) ON TABLE app.identity TO breathmaster_worker;

GRANT SELECT(issuer) ON TABLE app.identity TO breathmaster_api;

GRANT SELECT(identifier) ON TABLE app.identity TO breathmaster_worker;

GRANT SELECT(address) ON TABLE app.identity TO breathmaster_api;

GRANT SELECT(linked_at) ON TABLE app.identity TO breathmaster_api;

GRANT SELECT ON TABLE app.invitation TO breathmaster_api;
GRANT SELECT ON TABLE app.invitation TO breathmaster_boards;
GRANT DELETE ON TABLE app.invitation TO breathmaster_worker;

GRANT SELECT(organization_id) ON TABLE app.invitation TO breathmaster_worker;

GRANT SELECT(invitation_id) ON TABLE app.invitation TO breathmaster_worker;

GRANT SELECT(good_until) ON TABLE app.invitation TO breathmaster_worker;

GRANT SELECT ON TABLE app.organization_deletion TO breathmaster_worker;

GRANT UPDATE(begun_at) ON TABLE app.organization_deletion TO breathmaster_worker;

GRANT UPDATE(finished_at) ON TABLE app.organization_deletion TO breathmaster_worker;

GRANT UPDATE(counts) ON TABLE app.organization_deletion TO breathmaster_worker;

GRANT SELECT(organization_id) ON TABLE app.organization_event_head TO breathmaster_worker;

GRANT SELECT(forgotten_number),UPDATE(forgotten_number) ON TABLE app.organization_event_head TO breathmaster_worker;

GRANT UPDATE(forgotten_hash) ON TABLE app.organization_event_head TO breathmaster_worker;

GRANT DELETE ON TABLE app.organization_key TO breathmaster_worker;

GRANT SELECT(organization_id) ON TABLE app.organization_key TO breathmaster_api;
GRANT SELECT(organization_id) ON TABLE app.organization_key TO breathmaster_worker;

GRANT SELECT(key_id) ON TABLE app.organization_key TO breathmaster_api;
GRANT SELECT(key_id) ON TABLE app.organization_key TO breathmaster_worker;

GRANT SELECT(name) ON TABLE app.organization_key TO breathmaster_api;

GRANT SELECT(scopes) ON TABLE app.organization_key TO breathmaster_api;

GRANT SELECT(sources) ON TABLE app.organization_key TO breathmaster_api;

GRANT SELECT(created_at) ON TABLE app.organization_key TO breathmaster_api;

GRANT SELECT(expires_at) ON TABLE app.organization_key TO breathmaster_api;

GRANT SELECT(used_on) ON TABLE app.organization_key TO breathmaster_api;

GRANT SELECT,DELETE ON TABLE app.outbox TO breathmaster_worker;

GRANT INSERT(uid) ON TABLE app.outbox TO breathmaster_worker;

GRANT INSERT(message_id) ON TABLE app.outbox TO breathmaster_worker;

GRANT INSERT(kind) ON TABLE app.outbox TO breathmaster_worker;

GRANT INSERT(recipient) ON TABLE app.outbox TO breathmaster_worker;

GRANT INSERT(seed) ON TABLE app.outbox TO breathmaster_worker;

GRANT INSERT(written_at) ON TABLE app.outbox TO breathmaster_worker;

GRANT INSERT(good_until) ON TABLE app.outbox TO breathmaster_worker;

GRANT INSERT(due_at),UPDATE(due_at) ON TABLE app.outbox TO breathmaster_worker;

GRANT UPDATE(attempts) ON TABLE app.outbox TO breathmaster_worker;

GRANT UPDATE(dead_at) ON TABLE app.outbox TO breathmaster_worker;

GRANT UPDATE(dead_of) ON TABLE app.outbox TO breathmaster_worker;

GRANT SELECT ON TABLE app.ownership_offer TO breathmaster_api;

GRANT SELECT,INSERT ON TABLE app.password TO breathmaster_api;

GRANT UPDATE(phc) ON TABLE app.password TO breathmaster_api;

GRANT UPDATE(set_at) ON TABLE app.password TO breathmaster_api;

GRANT SELECT,INSERT,DELETE ON TABLE app.password_reset TO breathmaster_worker;

GRANT UPDATE(attempts) ON TABLE app.password_reset TO breathmaster_worker;

GRANT UPDATE(state) ON TABLE app.password_reset TO breathmaster_worker;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.practice_day TO breathmaster_api;

GRANT SELECT(uid),INSERT(uid) ON TABLE app.recovery_code TO breathmaster_api;

GRANT INSERT(hash),UPDATE(hash) ON TABLE app.recovery_code TO breathmaster_api;

GRANT UPDATE(previous_hash) ON TABLE app.recovery_code TO breathmaster_api;

GRANT SELECT(made_at),INSERT(made_at),UPDATE(made_at) ON TABLE app.recovery_code TO breathmaster_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE app.refresh_token TO breathmaster_api;

GRANT SELECT,INSERT ON TABLE app.season TO breathmaster_worker;
GRANT SELECT ON TABLE app.season TO breathmaster_boards;

GRANT UPDATE(finalised_at) ON TABLE app.season TO breathmaster_worker;

GRANT SELECT ON TABLE app.session TO breathmaster_api;
GRANT DELETE ON TABLE app.session TO breathmaster_worker;

GRANT INSERT(uid) ON TABLE app.session TO breathmaster_api;
GRANT SELECT(uid) ON TABLE app.session TO breathmaster_worker;

GRANT INSERT(device_id) ON TABLE app.session TO breathmaster_api;
GRANT SELECT(device_id) ON TABLE app.session TO breathmaster_worker;

GRANT INSERT(session_id) ON TABLE app.session TO breathmaster_api;
GRANT SELECT(session_id) ON TABLE app.session TO breathmaster_worker;

GRANT INSERT(started_at) ON TABLE app.session TO breathmaster_api;
GRANT SELECT(started_at) ON TABLE app.session TO breathmaster_worker;

GRANT INSERT(ended_at) ON TABLE app.session TO breathmaster_api;

GRANT INSERT(epoch),UPDATE(epoch) ON TABLE app.session TO breathmaster_api;

GRANT INSERT(local_day) ON TABLE app.session TO breathmaster_api;
GRANT SELECT(local_day) ON TABLE app.session TO breathmaster_worker;

GRANT INSERT(active_ms) ON TABLE app.session TO breathmaster_api;

GRANT INSERT(cycles) ON TABLE app.session TO breathmaster_api;

GRANT INSERT(goal_minutes) ON TABLE app.session TO breathmaster_api;

GRANT INSERT(goal_bonus_xp) ON TABLE app.session TO breathmaster_api;

GRANT INSERT(verdict),UPDATE(verdict) ON TABLE app.session TO breathmaster_api;

GRANT INSERT(received_at) ON TABLE app.session TO breathmaster_api;

GRANT INSERT(time_zone) ON TABLE app.session TO breathmaster_api;

GRANT INSERT(clock_offset_ms) ON TABLE app.session TO breathmaster_api;

GRANT INSERT(began_at) ON TABLE app.session TO breathmaster_api;
GRANT SELECT(began_at) ON TABLE app.session TO breathmaster_worker;

GRANT INSERT(counted_xp),UPDATE(counted_xp) ON TABLE app.session TO breathmaster_api;

GRANT INSERT(counted_active_ms),UPDATE(counted_active_ms) ON TABLE app.session TO breathmaster_api;

GRANT INSERT(sync_version),UPDATE(sync_version) ON TABLE app.session TO breathmaster_api;

GRANT SELECT ON TABLE app.session_appeal TO breathmaster_api;

GRANT INSERT(uid) ON TABLE app.session_appeal TO breathmaster_api;

GRANT INSERT(device_id) ON TABLE app.session_appeal TO breathmaster_api;

GRANT INSERT(session_id) ON TABLE app.session_appeal TO breathmaster_api;

GRANT INSERT(started_at) ON TABLE app.session_appeal TO breathmaster_api;

GRANT INSERT(verdict) ON TABLE app.session_appeal TO breathmaster_api;

GRANT INSERT(reason) ON TABLE app.session_appeal TO breathmaster_api;

GRANT SELECT,INSERT,DELETE ON TABLE app.spent_nonce TO breathmaster_worker;

GRANT SELECT(uid) ON TABLE app.standing TO breathmaster_boards;

GRANT SELECT(period) ON TABLE app.standing TO breathmaster_boards;

GRANT SELECT(weekly_xp) ON TABLE app.standing TO breathmaster_boards;

GRANT SELECT(weekly_streak) ON TABLE app.standing TO breathmaster_boards;

GRANT SELECT(total_sessions) ON TABLE app.standing TO breathmaster_boards;

GRANT SELECT(favorite_patterns) ON TABLE app.standing TO breathmaster_boards;

GRANT SELECT(last_session_at) ON TABLE app.standing TO breathmaster_boards;

GRANT SELECT(streak_at) ON TABLE app.standing TO breathmaster_boards;

GRANT SELECT(with_friends) ON TABLE app.standing TO breathmaster_boards;

GRANT SELECT(streak_shown) ON TABLE app.standing TO breathmaster_boards;

GRANT SELECT(total_xp) ON TABLE app.standing TO breathmaster_boards;

GRANT SELECT(longest_streak) ON TABLE app.standing TO breathmaster_boards;

GRANT SELECT(weekly_xp_before) ON TABLE app.standing TO breathmaster_boards;

GRANT SELECT(weekly_streak_before) ON TABLE app.standing TO breathmaster_boards;

GRANT SELECT,INSERT,DELETE ON TABLE app.sync_batch TO breathmaster_api;

GRANT SELECT(uid) ON TABLE app.sync_batch TO breathmaster_worker;

GRANT SELECT(batch_id) ON TABLE app.sync_batch TO breathmaster_worker;

GRANT SELECT(answer),UPDATE(answer) ON TABLE app.sync_batch TO breathmaster_worker;

GRANT SELECT(received_at) ON TABLE app.sync_batch TO breathmaster_worker;

GRANT SELECT ON TABLE app.team TO breathmaster_api;
GRANT DELETE ON TABLE app.team TO breathmaster_worker;

GRANT SELECT(organization_id) ON TABLE app.team TO breathmaster_worker;

GRANT SELECT(team_id) ON TABLE app.team TO breathmaster_worker;

GRANT SELECT(name) ON TABLE app.team TO breathmaster_worker;

GRANT SELECT ON TABLE app.team_member TO breathmaster_api;
GRANT SELECT,DELETE ON TABLE app.team_member TO breathmaster_worker;

GRANT SELECT ON TABLE board.company TO breathmaster_api;

GRANT SELECT ON TABLE board.company_season TO breathmaster_api;

GRANT SELECT ON TABLE board.company_season_rank TO breathmaster_api;

GRANT SELECT ON TABLE board.friend TO breathmaster_api;

GRANT SELECT ON TABLE board.friends TO breathmaster_api;

GRANT SELECT ON TABLE board.global TO breathmaster_api;

GRANT SELECT ON TABLE board.global_count TO breathmaster_api;

GRANT SELECT ON TABLE board.global_season TO breathmaster_api;

GRANT SELECT ON TABLE board.global_season_rank TO breathmaster_api;

GRANT SELECT ON TABLE board.global_total TO breathmaster_api;

GRANT SELECT ON TABLE board.member TO breathmaster_api;
GRANT SELECT ON TABLE board.member TO breathmaster_owner;

GRANT SELECT ON TABLE board.season TO breathmaster_api;

GRANT SELECT ON TABLE board.suggestion TO breathmaster_api;
GRANT SELECT ON TABLE board.suggestion TO breathmaster_owner;

GRANT SELECT ON TABLE migration.applied TO breathmaster_api;

