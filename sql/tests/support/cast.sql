-- The cast of every test: five people, two companies, and what they agreed to.
--
--   Ada       works at Acme and shows everything to everybody
--   Ben       Ada's colleague at Acme; shows his practice to his company only
--   Frank     Ada's friend, in no company; shows his practice to his friends only
--   Eve       works at Umbrella; on the global board and on her company's
--   stranger  has nothing to do with any of them and shows nothing
--
-- They come into being through the same functions that the server and the
-- operator call, in the roles that these have, so a fixture that cannot be made
-- is a finding too. Everything goes with the transaction of the including file.

create schema test;
grant usage on schema test to public;

-- Whoever it is about is a word: test.ada(), test.acme() and so on. The words
-- read transaction-local settings and can be used in any role.
create function test.known(called text) returns uuid language sql stable
  as $$ select current_setting('test.' || called)::uuid $$;
create function test.ada() returns uuid language sql stable as $$ select test.known('ada') $$;
create function test.ben() returns uuid language sql stable as $$ select test.known('ben') $$;
create function test.frank() returns uuid language sql stable as $$ select test.known('frank') $$;
create function test.eve() returns uuid language sql stable as $$ select test.known('eve') $$;
create function test.stranger() returns uuid language sql stable as $$ select test.known('stranger') $$;
create function test.acme() returns uuid language sql stable as $$ select test.known('acme') $$;
create function test.umbrella() returns uuid language sql stable as $$ select test.known('umbrella') $$;

-- By which request things are done here: one at noon.
create function test.origin() returns app.origin language sql stable
  as $$ select row('0a0a0a0a-0000-4000-8000-000000000001', '198.51.100.0/24', '2026-03-06 12:00Z')::app.origin $$;

-- What somebody agrees to who joins; nothing, where there is nothing to be joined.
create function test.agreed(company uuid) returns text language plpgsql as $$
begin
  return app.joining_agreement(company, (test.origin()).happened_at);
exception
  when sqlstate 'BM404' then return null;
end
$$;

-- The server, acting for one person and perhaps within a company.
create procedure test.be(who uuid, at_company uuid default null) language plpgsql as $$
begin
  set local role breathmaster_api;
  perform set_config('app.key_organization_id', '', true);
  perform app.bind(who, at_company);
end
$$;

-- The server, acting for a company that sent a program with a key, and for nobody in it.
create procedure test.be_directory(of_company uuid) language plpgsql as $$
begin
  set local role breathmaster_api;
  perform set_config('app.uid', '', true), set_config('app.organization_id', '', true),
    set_config('app.key_organization_id', of_company::text, true);
end
$$;

-- Somebody in the directory of the company whose key is bound.
create procedure test.provision(called text, is_active boolean default true) language sql as $$
  insert into app.directory_user (organization_id, directory_user_id, user_name, active, created_at, changed_at)
  values (app.key_organization_id(), gen_random_uuid(), called, is_active, '2026-03-06 18:00Z', '2026-03-06 18:00Z')
$$;

-- The server on a connection that somebody used before and nobody has bound
-- since: the settings exist and are empty.
create procedure test.be_unbound() language plpgsql as $$
begin
  perform set_config('app.uid', '', true), set_config('app.organization_id', '', true),
    set_config('app.key_organization_id', '', true);
  set local role breathmaster_api;
end
$$;

-- What a statement does for each viewer of Ada, in one line: the number of rows
-- that it returned or changed, or the SQLSTATE that it ended in. Whatever it
-- did is undone, so each viewer finds the same world.
create function test.each(statement text, as_role name default 'breathmaster_api') returns text language plpgsql as $$
declare
  viewer record;
  outcome text;
  line text[] := '{}';
begin
  for viewer in values
    ('herself', test.ada(), test.acme()),
    ('colleague', test.ben(), test.acme()),
    ('friend', test.frank(), null),
    ('other company', test.eve(), test.umbrella()),
    ('stranger', test.stranger(), null),
    ('unbound', null, null)
  loop
    begin
      if viewer.column2 is null then
        call test.be_unbound();
      else
        call test.be(viewer.column2, viewer.column3);
      end if;
      perform set_config('role', as_role, true);
      execute statement;
      get diagnostics outcome = row_count;
      raise exception 'undo' using errcode = 'TT000';
    exception
      when sqlstate 'TT000' then null;
      when others then outcome := sqlstate;
    end;
    line := line || format('%s %s', viewer.column1, outcome);
  end loop;
  return array_to_string(line, ', ');
end
$$;

-- How many rows a statement returned or changed, in the role of the moment.
create function test.rows(statement text) returns bigint language plpgsql as $$
declare
  touched bigint;
begin
  execute statement;
  get diagnostics touched = row_count;
  return touched;
end
$$;

-- The names on a board's week, as the bound person sees them.
create function test.names_on(board text, week text default '2026-W10') returns text language plpgsql as $$
declare
  names text;
begin
  execute format('select string_agg(display_name, %L order by display_name) from board.%I where period = $1', ', ', board)
    into names using week;
  return coalesce(names, 'nobody');
end
$$;

-- One person as the server makes them: registered, named, with their agreements.
create procedure test.enter(called text, shows_global boolean, shows_friends boolean, shows_company boolean)
language plpgsql as $$
begin
  set local role breathmaster_api;
  perform set_config('test.' || lower(called), app.register()::text, true);
  update app.user set
    display_name = called,
    share_progress = shows_global or shows_friends or shows_company,
    share_streaks = shows_global or shows_friends or shows_company,
    share_detailed_progress = shows_friends,
    global_board = shows_global, friends_board = shows_friends, company_board = shows_company;
end
$$;

-- One week of practice and all time, published the way a sync does it.
create procedure test.practise(xp integer) language plpgsql as $$
begin
  perform app.publish_standings(
    array['2026-W10', 'all-time'], '{}', array['2026-W10', 'all-time'], array[xp, null], array[3, null], array[xp / 2, null],
    array[4, null], array[null, 10 * xp], array[null, 12], array[null, 40], array['2026-03-06 18:00Z', '2026-03-06 18:00Z']::timestamptz[],
    array['2026-03-06 08:00Z', '2026-03-06 08:00Z']::timestamptz[],
    array['2026-03-05 08:00Z', '2026-03-05 08:00Z']::timestamptz[]);
end
$$;

call test.enter('Ada', true, true, true);
call test.enter('Ben', false, false, true);
call test.enter('Frank', false, true, false);
call test.enter('Eve', true, false, true);
call test.enter('stranger', false, false, false);

-- The operator founds the companies and vouches for an address of each member.
set local role breathmaster_owner;
do $$
begin
  perform set_config('test.acme', app.create_organization('Acme', 'acme.example', test.ada())::text, true);
  perform set_config('test.umbrella', app.create_organization('Umbrella', 'umbrella.example', test.eve())::text, true);
  perform app.record_email(test.ada(), 'ada@acme.example');
  perform app.record_email(test.ben(), 'ben@acme.example');
  perform app.record_email(test.eve(), 'eve@umbrella.example');
end
$$;

do $$
begin
  call test.be(test.ben());
  perform app.join_organization(test.acme(), test.agreed(test.acme()), test.origin());
  call test.practise(200);

  call test.be(test.eve());
  call test.practise(300);

  -- Ada can be asked; Frank asks, she agrees.
  call test.be(test.ada());
  update app.user set allow_friend_requests = true;
  call test.be(test.frank());
  perform app.befriend(test.ada());
  call test.practise(400);
  call test.be(test.ada());
  perform app.befriend(test.frank());
  call test.practise(100);

  -- A row of Ada's in every table that a device of hers fills, and a sign-in.
  insert into app.device (uid, device_id, name, time_zone, epoch, last_taken_at)
  values (test.ada(), 'laptop', 'Laptop', 'Europe/London', 1, '2026-03-06 18:00Z');
  insert into app.session (uid, device_id, session_id, started_at, began_at, ended_at, epoch, local_day, active_ms,
    cycles, goal_bonus_xp, verdict, counted_xp, counted_active_ms, sync_version)
  values
    (test.ada(), 'laptop', 's1', '2026-03-06 17:50Z', '2026-03-06 17:50Z', '2026-03-06 18:00Z', 1, '2026-03-06', 600000,
      60, 0, 'sound', 60, 600000, 1),
    (test.ada(), 'laptop', 's0', '2026-03-05 17:50Z', '2026-03-05 17:50Z', '2026-03-05 18:00Z', 1, '2026-03-05', 600000,
      301, 0, 'tooManyCycles', 0, 0, 1);
  insert into app.daily_challenge (uid, device_id, epoch, challenge_id, local_day, kind, target, reward_xp, completed, expired)
  values (test.ada(), 'laptop', 1, 'c1', '2026-03-06', 'minutes', 10, 5, true, false);
  insert into app.practice_day (uid, epoch, local_day, xp, active_ms, sessions, overlap_xp, first_ended_at, last_ended_at,
    first_zone, last_zone)
  values (test.ada(), 1, '2026-03-06', 60, 600000, 1, 0, '2026-03-06 18:00Z', '2026-03-06 18:00Z', 'Europe/London',
    'Europe/London');
  insert into app.sync_batch (uid, batch_id, device_id, digest, epoch, sync_version, handed_xp, earned_xp, answer,
    received_at)
  values (test.ada(), test.ada(), 'laptop', sha256('batch'), 1, 1, 65, 0, '{}', '2026-03-06 18:00Z');
  insert into app.state_entry (uid, field, key, value, written_at, labelled_at, device_id, sync_version)
  values (test.ada(), 'preferredPatterns', 'morning', '"chill"', '2026-03-06 18:00Z', '2026-03-06 18:00Z', 'laptop', 1);
  insert into app.session_appeal (uid, device_id, session_id, started_at, verdict, reason)
  values (test.ada(), 'laptop', 's0', '2026-03-05 17:50Z', 'tooManyCycles', 'I breathe fast.');
  insert into app.refresh_token (uid, family, current_hash, expires_at)
  values (test.ada(), test.ada(), sha256('token'), '2027-01-01Z');

  -- A token of hers for a program, a line in her record, and a request that was counted.
  perform app.add_access_token(test.ada(), sha256('program of Ada'), 'Calendar', array['sync:read'],
    '2026-03-06 18:00Z', '2026-09-06 18:00Z');
  insert into app.audit_event (uid, happened_at, action, request_id, source)
  values (test.ada(), '2026-03-06 18:00Z', 'token.created', gen_random_uuid(), '192.0.2.0/24');
  perform app.take(array['\x00112233445566778899aabbccddeeff'::bytea], array[10], array[60], '2026-03-06 18:00Z');
  -- A key of Acme's, for its directory.
  perform app.add_organization_key(test.acme(), test.acme(), sha256('key of Acme'), 'Okta', array['scim'],
    array['192.0.2.0/24'], '2026-09-06 18:00Z', test.origin());
  -- A team of Acme's with Ada in it.
  perform app.create_team(test.acme(), test.acme(), 'Breathers', test.origin());
  perform app.change_team_member(test.acme(), test.acme(), test.ada(), true, test.origin());
  -- An address that waits for its code, and the mail with it.
  perform app.ask_email('ada@home.example', gen_random_uuid(), sha256('1'), '2026-03-06 18:00Z', '2026-03-06 18:10Z');

  -- Her password, one that she says is forgotten, and what she finds her account with.
  insert into app.password (uid, phc, set_at)
  values (test.ada(), '$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g', '2026-03-06 18:00Z');
  perform app.ask_password_reset('5e5e5e5e-0000-4000-8000-000000000001', 'ada@acme.example', gen_random_uuid(), sha256('reset'), '2026-03-06 18:00Z',
    '2026-03-06 18:10Z');
  insert into app.recovery_code (uid, hash, made_at) values (test.ada(), sha256('recovery code'), '2026-03-06 18:00Z');

  -- Who she is to a provider, and a nonce that was used.
  perform app.link_identity('https://accounts.example', 'ada', 'ada@acme.example', null, sha256('nonce'),
    '2026-03-06 18:00Z', '2026-03-06 18:10Z');

  -- A device that waits, and another that she has let in.
  for n in 1..2 loop
    perform app.ask_device_sign_in(('5e5e5e5e-0000-4000-8000-00000000010' || n)::uuid, sha256('device'),
      sha256(n::text::bytea), 'Editor', '192.0.2.0/24', '2026-03-06 18:00Z', '2026-03-06 18:10Z');
  end loop;
  perform app.answer_device_request('5e5e5e5e-0000-4000-8000-000000000102', true, '2026-03-06 18:00Z');

  -- Her code, one that she was given and that was none, and a block of nobody in particular.
  insert into app.friend_code (uid, seed, digest) values (test.ada(), gen_random_uuid(), sha256('code of Ada'));
  perform app.redeem_friend_code(sha256('code of nobody'));
  perform app.block_person(gen_random_uuid());
end
$$;

-- Acme's directory has a team with somebody in it who isn't here yet, and had somebody else.
do $$
begin
  call test.be_directory(test.acme());
  call test.provision('cara@acme.example');
  call test.provision('carl@acme.example');
  update app.directory_user set emails = '[{"value": "Cara@acme.example", "type": "work"}]' where user_name = 'cara@acme.example';
  insert into app.directory_group (organization_id, directory_group_id, display_name, created_at, changed_at)
  values (test.acme(), test.acme(), 'Engineering', '2026-03-06 18:00Z', '2026-03-06 18:00Z');
  insert into app.directory_group_member
  select test.acme(), test.acme(), directory_user_id from app.directory_user where user_name = 'cara@acme.example';
  delete from app.directory_user where user_name = 'carl@acme.example';
  perform set_config('app.key_organization_id', '', true);
end
$$;

-- Ada's account is to end in Frank's, as both say.
do $$
begin
  call test.be(test.ada());
  perform app.open_account_merge(sha256('code to merge'), '2026-03-06 18:00Z', '2026-03-06 18:30Z');
  call test.be(test.frank());
  perform app.agree_to_account_merge(sha256('code to merge'), '2026-03-06 18:00Z');
end
$$;

-- The operator, on Ada's behalf, declines her appeal.
set local role breathmaster_owner;
do $$
begin
  perform app.bind(test.ada());
  insert into app.appeal_decision (uid, device_id, session_id, started_at, accepted, decided_by)
  values (test.ada(), 'laptop', 's0', '2026-03-05 17:50Z', false, 'Olga');
end
$$;

-- The companies want a board. Nobody is on one as somebody else, or with all time: of
-- both there is a row of Ada's.
reset role;
update app.organization set leaderboard_enabled = true;
-- A company that was, and of which only the receipt is left.
insert into app.organization_deletion (organization_id, asked_at, finished_at) values (gen_random_uuid(), '2026-01-01Z', '2026-01-08Z');
-- Somebody is asked into Acme.
insert into app.invitation (organization_id, invitation_id, address, role, invited_at, good_until)
values (test.acme(), gen_random_uuid(), 'Guest@acme.example', 'analyst', '2026-03-06 12:00Z', '2026-03-13 12:00Z');
-- Ben would hand the company to Ada, if it were his.
insert into app.ownership_offer (organization_id, uid, offered_by, offered_at, good_until)
values (test.acme(), test.ada(), test.ben(), '2026-03-06 12:00Z', '2026-03-13 12:00Z');
insert into app.pseudonym (uid, period) values (test.ada(), '2026-W10');
insert into app.global_total (uid, total_xp, longest_streak, total_sessions) values (test.ada(), 1000, 12, 40);

-- The play begins with the superuser on stage and nobody bound.
do $$ begin perform set_config('app.uid', '', true), set_config('app.organization_id', '', true); end $$;

-- Some of what they reached is counted, and some is not yet.
do $$ begin perform app.fold_global_tally(3); end $$;

-- And a week that is over, in which Ada and Eve were on the boards, is history. Without
-- its standings, so that the week above is the only one there is.
create procedure test.practise_in(week text, xp integer) language plpgsql as $$
begin
  perform app.publish_standings(
    array[week], '{}', array[week], array[xp], array[3], array[xp / 2], array[4], '{}', '{}', '{}',
    array['2026-02-01 18:00Z']::timestamptz[], array['2026-02-01 08:00Z']::timestamptz[], array['2026-01-31 08:00Z']::timestamptz[]);
end
$$;
do $$
begin
  call test.be(test.ada());
  call test.practise_in('2026-W05', 100);
  call test.be(test.eve());
  call test.practise_in('2026-W05', 300);
  perform app.close_seasons(array['2026-W05'], '2026-02-05 18:00Z');
  perform app.finalise_season('2026-W05', 1000, '2026-02-05 18:00Z');
end
$$;
reset role;
do $$
begin
  delete from app.standing where period = '2026-W05';
  delete from app.global_standing where period = '2026-W05';
  delete from app.company_standing where period = '2026-W05';
  perform set_config('app.uid', '', true), set_config('app.organization_id', '', true);
end
$$;
