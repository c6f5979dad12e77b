-- Friends, further: invitation codes, a no that nobody hears, blocks, and what a
-- friends board shows of a person beyond the week.

alter table app.user
  add column auto_accept_friends boolean not null default false,
  add column share_detailed_progress boolean not null default false;
comment on column app.user.allow_friend_requests is
  'Whether others may ask by uid. A code that the person gave away is an invitation of its own and works without.';
comment on column app.user.auto_accept_friends is 'Whether who may ask is a friend at once.';
comment on column app.user.share_detailed_progress is
  'Whether a friends board shows the sessions of all time and the favourite patterns beside the week.';
grant update (auto_accept_friends, share_detailed_progress) on app.user to breathmaster_api;
grant select (share_detailed_progress) on app.user to breathmaster_boards;

-- A request that was declined stays with the one who asked, as one that waits: a
-- request that vanished would be an answer. The pair is still one row, and the
-- policy below says which of the two it is shown to.
alter table app.friendship
  add column declined_at timestamptz
    constraint friendship_declined_is_not_accepted check (declined_at is null or accepted_at is null),
  add column withdrawn_at timestamptz
    constraint friendship_withdrawn_was_declined check (withdrawn_at is null or declined_at is not null);
comment on column app.friendship.declined_at is 'Since when the one who was asked does not see it.';
comment on column app.friendship.withdrawn_at is
  'Since when the one who asked does not see it either. The row stays, so that asking again is no way around a no.';

-- The server reads pairs through board.friend and changes them through functions,
-- so it has no use for the table.
revoke select, delete on app.friendship from breathmaster_api;
alter policy friendship_of_either on app.friendship to breathmaster_owner;
create policy friendship_shown on app.friendship for select to breathmaster_boards
  using (
    (uid = (select app.uid()) or friend_uid = (select app.uid()))
    and (declined_at is null or (asked_by = (select app.uid()) and withdrawn_at is null))
  );
grant select (uid, friend_uid, asked_by, asked_at, accepted_at) on app.friendship to breathmaster_boards;

create table app.block (
  uid uuid not null references app.user (uid) on delete cascade,
  blocked_uid uuid not null,
  blocked_at timestamptz not null default now(),
  primary key (uid, blocked_uid),
  constraint block_of_another check (uid <> blocked_uid)
);
comment on table app.block is 'Who wants to see no more of whom. It hides each from the other; only the one who made it knows.';
comment on column app.block.blocked_uid is
  'No foreign key: that one cannot block who does not exist would tell who does.';
create index block_by_blocked on app.block (blocked_uid);

alter table app.block enable row level security;
alter table app.block force row level security;
create policy block_self on app.block to breathmaster_api
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
create policy block_of_either on app.block to breathmaster_owner
  using (uid = (select app.uid()) or blocked_uid = (select app.uid()))
  with check (uid = (select app.uid()));
create policy block_between on app.block for select to breathmaster_boards
  using (uid = (select app.uid()) or blocked_uid = (select app.uid()));
-- Making one ends what was between the two, so that is for app.block_person.
grant select, delete on app.block to breathmaster_api;
grant select (uid, blocked_uid) on app.block to breathmaster_boards;

-- What a foreign key would do for blocked_uid.
create function app.forget_blocks() returns trigger
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  bound constant text := coalesce(current_setting('app.uid', true), '');
begin
  perform set_config('app.uid', old.uid::text, true);
  delete from app.block where blocked_uid = old.uid;
  perform set_config('app.uid', bound, true);
  return null;
end
$$;
revoke all on function app.forget_blocks() from public;
create trigger user_deleted
  after delete on app.user
  for each row execute function app.forget_blocks();

create table app.friend_code (
  uid uuid primary key references app.user (uid) on delete cascade,
  seed uuid not null,
  digest bytea not null check (octet_length(digest) = 32),
  made_at timestamptz not null default now(),
  constraint friend_code_taken unique (digest)
);
comment on table app.friend_code is
  'A person''s one current invitation code, good for 30 days. The code is not here: it comes of the seed and a key that the server holds, and is recognised by its keyed digest.';

alter table app.friend_code enable row level security;
alter table app.friend_code force row level security;
create policy friend_code_self on app.friend_code to breathmaster_api, breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));
-- Whose code it is, is for the one who has it: app.friend_code_owner asks by the digest.
create policy friend_code_found on app.friend_code for select to breathmaster_boards
  using ((select app.uid()) is not null);
grant select, delete on app.friend_code to breathmaster_api;
grant insert (uid, seed, digest), update (seed, digest, made_at) on app.friend_code to breathmaster_api;
grant select (uid, digest, made_at) on app.friend_code to breathmaster_boards;

create table app.friend_code_attempt (
  uid uuid primary key references app.user (uid) on delete cascade,
  since timestamptz not null,
  attempts integer not null check (attempts >= 1)
);
comment on table app.friend_code_attempt is 'How often a person gave a code within the hour that began with the first time.';

alter table app.friend_code_attempt enable row level security;
alter table app.friend_code_attempt force row level security;
create policy friend_code_attempt_self on app.friend_code_attempt to breathmaster_owner
  using (uid = (select app.uid())) with check (uid = (select app.uid()));

-- Reads another person's row, so it belongs to the role whose grants name the columns.
create function app.friend_code_owner(given bytea) returns uuid
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select uid from app.friend_code where digest = given and made_at > now() - interval '30 days';
$$;
comment on function app.friend_code_owner(bytea) is 'Null for a code that is over, was replaced or never was.';
revoke all on function app.friend_code_owner(bytea) from public;
grant create on schema app to breathmaster_boards;
alter function app.friend_code_owner(bytea) owner to breathmaster_boards;
revoke create on schema app from breathmaster_boards;
set local role breathmaster_boards;
grant execute on function app.friend_code_owner(bytea) to breathmaster_owner;
set local role breathmaster_owner;

-- What changes between two people happens one after the other, and so does what
-- changes the number of one person's friends.
create function app.take_turns(one uuid, another uuid) returns void
  language plpgsql
  set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('friends of ' || least(one, another), 0));
  perform pg_advisory_xact_lock(hashtextextended('friends of ' || greatest(one, another), 0));
end
$$;
revoke all on function app.take_turns(uuid, uuid) from public;

-- A request holds a place for the one who asks from the beginning. So accepting it
-- can only fail for want of room on the side that accepts, which is no news to them.
create function app.friend_places() returns table (taken bigint, asked bigint, received bigint)
  language sql stable security definer
  set search_path = pg_catalog, pg_temp
as $$
  select count(*) filter (where accepted_at is not null or (asked_by = (select app.uid()) and withdrawn_at is null)),
    count(*) filter (where accepted_at is null and asked_by = (select app.uid()) and withdrawn_at is null),
    count(*) filter (where accepted_at is null and asked_by <> (select app.uid()) and declined_at is null)
  from app.friendship
  where uid = (select app.uid()) or friend_uid = (select app.uid());
$$;
comment on function app.friend_places() is
  'Of the bound user: friends and own requests, own requests alone, and the requests that they see of others.';
revoke all on function app.friend_places() from public;

create function app.require_friend_place(asks boolean) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
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
revoke all on function app.require_friend_place(boolean) from public;

-- Answers in the name of the one who is asked, bound as them and under the same
-- policies, and returns to the one who asks.
create function app.friend_door(whom uuid, out asks_welcome boolean, out codes_welcome boolean, out accepts boolean, out closed boolean)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
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
    exists (select from app.block b where b.uid = u.uid and b.blocked_uid = me)
  into asks_welcome, codes_welcome, accepts, closed
  from app.user u, app.friend_places() as place
  where u.uid = whom;
  perform set_config('app.uid', me::text, true);
end
$$;
comment on function app.friend_door(uuid) is
  'Whether one may be asked by uid and by code, whether they accept at once, and whether they blocked the one who asks. Nulls for who does not exist.';
revoke all on function app.friend_door(uuid) from public;

create function app.ask_friend(other uuid, invited boolean) returns text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
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
    update app.friendship set accepted_at = now(), declined_at = null
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
  -- Whom they blocked is answered as one who waits, and so is whom they declined
  -- before: a code, which they gave away, takes that back; asking once more doesn't.
  pair.declined_at := case
    when door.closed then now()
    when pair.asked_by = me and not invited then pair.declined_at
  end;
  pair.accepted_at := case when door.accepts and pair.declined_at is null then now() end;
  insert into app.friendship (uid, friend_uid, asked_by, accepted_at, declined_at)
  values (least(me, other), greatest(me, other), me, pair.accepted_at, pair.declined_at)
  on conflict (uid, friend_uid) do update
    set (asked_by, asked_at, accepted_at, declined_at, withdrawn_at)
      = (excluded.asked_by, excluded.asked_at, excluded.accepted_at, excluded.declined_at, null);
  return case when pair.accepted_at is null then 'requested' else 'friends' end;
end
$$;
comment on function app.ask_friend(uuid, boolean) is 'What asking by uid and by code have in common.';
revoke all on function app.ask_friend(uuid, boolean) from public;

create or replace function app.befriend(other uuid) returns text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
begin
  if other = app.uid() then
    raise exception 'nobody is their own friend' using errcode = 'BM422';
  end if;
  return app.ask_friend(other, false);
end
$$;
comment on function app.befriend(uuid) is
  'Answers requested or friends. BM404 where the other takes no requests or does not exist, BM422 for oneself, BM409 where the constraint that it names stands against it.';

-- Its part is with app.friend_door now, which needs no other role's eyes.
-- squawk-ignore ban-drop-function
drop function app.accepts_friend_requests(uuid);
revoke select (allow_friend_requests) on app.user from breathmaster_boards;

-- Returns what it found rather than raising, because an error would take the
-- attempt back that it counted.
create function app.redeem_friend_code(given bytea, out friend uuid, out state text, out retry_after integer)
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
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
comment on function app.redeem_friend_code(bytea) is
  'Who gave the code away and how the two stand now; no friend where the code is none; the seconds to wait where ten were given within the hour.';
revoke all on function app.redeem_friend_code(bytea) from public;
grant execute on function app.redeem_friend_code(bytea) to breathmaster_api;

create function app.unfriend(other uuid) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
declare
  me constant uuid := app.uid();
begin
  perform app.take_turns(me, other);
  delete from app.friendship
  where uid = least(me, other) and friend_uid = greatest(me, other)
    and (accepted_at is not null or (asked_by = me and declined_at is null));
  update app.friendship
  set declined_at = coalesce(declined_at, now()),
    withdrawn_at = case when asked_by = me then coalesce(withdrawn_at, now()) else withdrawn_at end
  where uid = least(me, other) and friend_uid = greatest(me, other);
end
$$;
comment on function app.unfriend(uuid) is 'Declines, withdraws or ends, and nobody is told.';
revoke all on function app.unfriend(uuid) from public;
grant execute on function app.unfriend(uuid) to breathmaster_api;

create function app.block_person(other uuid) returns void
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
as $$
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
comment on function app.block_person(uuid) is
  'Ends what is between the two and hides each from the other. The same for who exists and who does not.';
revoke all on function app.block_person(uuid) from public;
grant execute on function app.block_person(uuid) to breathmaster_api;

-- Whom the boards don't show to the viewer. A view rather than a function, because
-- who reads a board would need to be allowed to call that, and the server must not
-- be able to ask who blocked somebody.
create view board.blocked with (security_barrier) as
select blocked_uid as uid from app.block where uid = (select app.uid())
union all
select uid from app.block where blocked_uid = (select app.uid());
comment on view board.blocked is 'Those whom the viewer blocked and those who blocked the viewer. For the other boards alone.';

create view board.friend with (security_barrier) as
select f.uid, f.state, f.since, u.display_name, u.avatar_url
from (
  select case when uid = (select app.uid()) then friend_uid else uid end as uid,
    case when accepted_at is not null then 'friends' when asked_by = (select app.uid()) then 'requested' else 'received' end as state,
    coalesce(accepted_at, asked_at) as since
  from app.friendship
  where uid = (select app.uid()) or friend_uid = (select app.uid())
) as f
  -- Who was asked has not said yet that they want to be known.
  left join app.user u on u.uid = f.uid and f.state <> 'requested'
where (select app.uid()) is not null;
comment on view board.friend is 'The viewer''s friends and requests, with the names of those who said yes to the viewer.';
grant select on board.friend to breathmaster_api;
alter view board.blocked owner to breathmaster_boards;
alter view board.friend owner to breathmaster_boards;

set local role breathmaster_boards;

create or replace view board.friends with (security_barrier) as
select s.period, s.uid, u.display_name, u.avatar_url,
  s.weekly_xp, s.last_session_at as weekly_xp_at,
  case when s.streak_shown then s.weekly_streak end as weekly_streak,
  case when s.streak_shown then s.streak_at end as weekly_streak_at,
  case when u.share_detailed_progress then t.total_sessions end as total_sessions,
  case when u.share_detailed_progress then t.last_session_at end as total_sessions_at,
  case when u.share_detailed_progress then t.favorite_patterns end as favorite_patterns
from app.standing s
  join app.user u on u.uid = s.uid
  join app.standing t on t.uid = s.uid and t.period = 'all-time'
where (select app.uid()) is not null
  and s.uid not in (select b.uid from board.blocked b);
comment on view board.friends is
  'weeklyXP and weeklyStreak of the viewer and the friends who share, and totalSessions and favoritePatterns of those who share details.';

create or replace view board.company with (security_barrier) as
select s.organization_id, s.period, s.uid, u.display_name, u.avatar_url,
  s.weekly_minutes, s.weekly_minutes_at,
  s.weekly_consistency, s.weekly_consistency_at,
  s.team_challenge_participation, s.team_challenge_participation_at
from app.company_standing s
  join app.user u on u.uid = s.uid
where (select app.uid()) is not null
  and s.uid not in (select b.uid from board.blocked b);

set local role breathmaster_owner;
