-- The end of an account, by its person; what an operator does about mail that was given up; and an address
-- that is nobody's takes as long to be looked for as one that is somebody's.

-- MARK: Mail

create function app.dead_mail(at timestamptz)
  returns table (message_id uuid, uid uuid, kind text, recipient text, written_at timestamptz, good_until timestamptz,
    attempts integer, dead_at timestamptz, dead_of text)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('app.delivering', at::text, true);
  return query
    select o.message_id, o.uid, o.kind, o.recipient, o.written_at, o.good_until, o.attempts, o.dead_at, o.dead_of
    from app.outbox o where o.dead_at is not null order by o.dead_at, o.message_id;
  perform set_config('app.delivering', '', true);
end
$$;
comment on function app.dead_mail(timestamptz) is 'Messages that were given up, the oldest first: for whom, and why, and not what is in them. For the operator.';

create function app.retry_mail(message uuid, at timestamptz) returns text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
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
comment on function app.retry_mail(uuid, timestamptz) is
  'Gives a message that was given up to the job again, as if it were new: waiting, or too late where what it says is over; null where there is none.';

-- MARK: An account

-- Asks for a new password are known by their address alone, so no foreign key takes them along.
create function app.forget_password_resets(addresses text[]) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  -- Whenever they were asked for, by whichever server's clock.
  perform set_config('app.delivering', 'infinity', true);
  delete from app.password_reset r where lower(r.address) = any (select lower(given) from unnest(addresses) as a (given));
  perform set_config('app.delivering', '', true);
end
$$;
comment on function app.forget_password_resets(text[]) is 'Nobody has forgotten the password of those addresses any more.';

create function app.delete_account(origin app.origin) returns jsonb
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
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
$$;
comment on function app.delete_account(app.origin) is
  'Deletes the bound user and everything of theirs, in this transaction: how much of what there was. A company that nobody else is in ends as app.ask_deletion says. BM409 for the last owner of one that has other members.';

revoke all on function app.dead_mail(timestamptz), app.retry_mail(uuid, timestamptz),
  app.forget_password_resets(text[]), app.delete_account(app.origin) from public;
grant execute on function app.delete_account(app.origin) to breathmaster_api;
grant create on schema app to breathmaster_worker, breathmaster_boards;
alter function app.dead_mail(timestamptz) owner to breathmaster_worker;
alter function app.retry_mail(uuid, timestamptz) owner to breathmaster_worker;
alter function app.forget_password_resets(text[]) owner to breathmaster_worker;
set local role breathmaster_boards;

create or replace function app.has_other_owner(of_organization uuid, than uuid) returns boolean
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
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

set local role breathmaster_worker;

-- MARK: Whose an address is

create or replace function app.uid_by_email(given text) returns uuid
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
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

grant execute on function app.dead_mail(timestamptz), app.retry_mail(uuid, timestamptz),
  app.forget_password_resets(text[]) to breathmaster_owner;
set local role breathmaster_owner;
revoke create on schema app from breathmaster_worker, breathmaster_boards;
