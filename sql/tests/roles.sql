-- Who may do what: the roles, and every privilege that the serving ones hold.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(26);
\ir support/cast.sql

-- The roles themselves. They belong to the cluster, and an operator may have made
-- them before the first migration ran: what they must never be is checked, not who
-- made them. Whether the owner can log in is the operator's choice; it migrates.

select is_empty(
  $$ select rolname from pg_roles
     where rolname like 'breathmaster\_%' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication) $$,
  'No role of ours is a superuser, passes by row security or makes roles or databases.');

select is_empty(
  $$ select rolname from pg_roles where rolname in ('breathmaster_boards', 'breathmaster_analyst') and rolcanlogin $$,
  'Nobody logs in as the owner of the boards or as the group of analysts.');

-- Row security looks at the current role, so a role that can become another has
-- that one's view of the world too.
select is_empty(
  $$ select roleid::regrole from pg_auth_members where member = 'breathmaster_api'::regrole $$,
  'The API role is a member of no other role, so it can become nobody else.');

-- Policies reach the members of the role that they name. If the owner inherited
-- from the role of the boards, its functions could read everybody's row.
select ok(
  not pg_has_role('breathmaster_owner', 'breathmaster_boards', 'usage'),
  'The owner can become the role of the boards, but does not inherit what that may read.');

-- An owner can turn row security off, and is not held by it unless it is forced.
select is_empty(
  $$ select classid::regclass, objid from pg_shdepend
     where refclassid = 'pg_authid'::regclass and refobjid = 'breathmaster_api'::regrole and deptype = 'o' $$,
  'The API role owns nothing.');

select is_empty(
  $$ select nspname from pg_namespace
     where nspname !~ '^pg_' and has_schema_privilege('breathmaster_api', oid, 'create')
     union all
     select current_database() where has_database_privilege('breathmaster_api', current_database(), 'create') $$,
  'The API role can create nothing that outlives its session.');

-- No client can forget a timeout that comes with the role.
select results_eq(
  $$ select setting collate "default" from pg_roles, unnest(rolconfig) as setting where rolname = 'breathmaster_api' order by 1 $$,
  array['idle_in_transaction_session_timeout=10s', 'jit=off', 'lock_timeout=2s', 'plan_cache_mode=force_generic_plan',
    'statement_timeout=5s'],
  'Timeouts live with the API role, and so does how it plans.');

-- Privileges as the catalog has them, one line for a relation: those on the
-- whole of it, then those on some columns. This is the complete list, so a
-- grant that is added or lost is noticed here.
create view test.privilege as
with granted as (
  select c.oid, a.grantee, lower(a.privilege_type) as privilege, null as columns
  from pg_class c, aclexplode(c.relacl) a
  union all
  select c.oid, a.grantee, lower(a.privilege_type), string_agg(t.attname, ', ' order by t.attnum)
  from pg_class c
    join pg_attribute t on t.attrelid = c.oid,
    aclexplode(t.attacl) a
  group by c.oid, a.grantee, a.privilege_type
)
select g.grantee, (n.nspname || '.' || c.relname) collate "default" as relation,
  string_agg(g.privilege || coalesce(' (' || g.columns || ')', ''), ', ' order by g.privilege) collate "default" as privileges
from granted g
  join pg_class c on c.oid = g.oid
  join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('app', 'board', 'migration')
group by g.grantee, n.nspname, c.relname;

-- What is not here: any table of standings, or of friendships; who blocked whom; deleting, rewriting or pardoning practice;
-- deciding an appeal; making a member, a domain, an address or a friendship; changing
-- the uid of anything.
select results_eq(
  $$ select relation, privileges from test.privilege where grantee = 'breathmaster_api'::regrole order by relation $$,
  $$ values
    ('app.access_token', 'delete, select (uid, token_id, name, scopes, created_at, expires_at, used_on), update (used_on)'),
    ('app.account_merge', 'delete, select (uid, good_until, into_uid, agreed_at)'),
    ('app.appeal_decision', 'select'),
    ('app.audit_event', 'insert, select'),
    ('app.block', 'delete, select'),
    ('app.daily_challenge', 'insert, select, update (local_day, kind, target, reward_xp, completed, expired)'),
    ('app.device', 'insert, select, update'),
    ('app.directory_email', 'select'),
    ('app.directory_group', 'delete, insert (organization_id, directory_group_id, display_name, external_id, created_at, '
      || 'changed_at), select, update (display_name, external_id, version, changed_at)'),
    ('app.directory_group_member', 'delete, insert, select'),
    ('app.directory_tally', 'select'),
    ('app.directory_user', 'delete, insert (organization_id, directory_user_id, user_name, external_id, display_name, '
      || 'formatted_name, family_name, given_name, emails, active, created_at, changed_at), select, '
      || 'update (user_name, external_id, display_name, formatted_name, family_name, given_name, emails, '
      || 'active, version, changed_at)'),
    ('app.domain_claim', 'select'),
    ('app.email_claim', 'delete, select'),
    ('app.email_verification', 'delete, select (uid, address, asked_at, good_until)'),
    ('app.friend_code', 'delete, insert (uid, seed, digest), select, update (seed, digest, made_at)'),
    ('app.game_state', 'select, update (epoch, epoch_started_at, eligible_at, sync_version, last_modified, last_device_id, '
      || 'total_xp, legacy_xp, total_sessions, active_ms, streak_days, streak_ends_on, longest_streak, '
      || 'floor_xp)'),
    ('app.identity', 'select (uid, issuer, address, linked_at)'),
    ('app.invitation', 'select'),
    ('app.member', 'select'),
    ('app.organization', 'select'),
    ('app.organization_event', 'select'),
    ('app.organization_key', 'select (organization_id, key_id, name, scopes, sources, created_at, expires_at, used_on)'),
    ('app.ownership_offer', 'select'),
    ('app.password', 'insert, select, update (phc, set_at)'),
    ('app.practice_day', 'delete, insert, select, update'),
    ('app.recovery_code', 'insert (uid, hash, made_at), select (uid, made_at), update (hash, previous_hash, made_at)'),
    ('app.refresh_token', 'delete, insert, select, update'),
    ('app.session', 'insert (uid, device_id, session_id, started_at, ended_at, epoch, local_day, active_ms, cycles, '
      || 'goal_minutes, goal_bonus_xp, verdict, received_at, time_zone, clock_offset_ms, began_at, '
      || 'counted_xp, counted_active_ms, sync_version), select, update (epoch, verdict, counted_xp, '
      || 'counted_active_ms, sync_version)'),
    ('app.session_appeal', 'insert (uid, device_id, session_id, started_at, verdict, reason), select'),
    ('app.state_entry', 'delete, insert, select, update'),
    ('app.sync_batch', 'delete, insert, select'),
    ('app.team', 'select'),
    ('app.team_member', 'select'),
    ('app.user', 'select, update (display_name, avatar_url, share_progress, share_streaks, allow_friend_requests, '
      || 'global_board, friends_board, company_board, preferred_sync_frequency, day_starts_at, '
      || 'auto_accept_friends, share_detailed_progress, anonymized_display, stats_sharing, '
      || 'hide_from_global_leaderboard, friends_only_visible, show_detailed_stats, real_name, show_real_name, '
      || 'hides_global_board, hides_friends_board, hides_company_board, data_retention)'),
    ('board.company', 'select'),
    ('board.company_season', 'select'),
    ('board.company_season_rank', 'select'),
    ('board.friend', 'select'),
    ('board.friends', 'select'),
    ('board.global', 'select'),
    ('board.global_count', 'select'),
    ('board.global_season', 'select'),
    ('board.global_season_rank', 'select'),
    ('board.global_total', 'select'),
    ('board.member', 'select'),
    ('board.season', 'select'),
    ('board.suggestion', 'select'),
    ('migration.applied', 'select') $$,
  'The API role holds exactly these privileges on tables and views.');

-- The views run with the rights of this role. Of app.standing it has the columns
-- that friends may see: minutes and practised days are not among them. Of app.user
-- it has what stands beside a score, and whether friends are shown more than the week.
-- Of a pair it doesn't have who declined, of a code not what it comes of.
select results_eq(
  $$ select relation, privileges from test.privilege
     where grantee = 'breathmaster_boards'::regrole and relation like 'app.%' order by relation $$,
  $$ values
    ('app.block', 'select (uid, blocked_uid)'),
    ('app.company_season', 'select'),
    ('app.company_season_rank', 'select'),
    ('app.company_standing', 'select'),
    ('app.domain_claim', 'select (organization_id, domain, proved_at)'),
    ('app.friend_code', 'select (uid, digest, made_at)'),
    ('app.friendship', 'select (uid, friend_uid, asked_by, asked_at, accepted_at)'),
    ('app.global_season', 'select'),
    ('app.global_season_rank', 'select'),
    ('app.global_standing', 'select'),
    ('app.global_tally', 'select'),
    ('app.global_tally_change', 'select'),
    ('app.global_total', 'select'),
    ('app.invitation', 'select'),
    ('app.member', 'select (organization_id, uid, role, joined_at, agreed_at)'),
    ('app.organization', 'select (organization_id, name, leaderboard_enabled, show_real_names, automatic_joining)'),
    ('app.season', 'select'),
    ('app.standing', 'select (uid, period, weekly_xp, weekly_streak, total_sessions, favorite_patterns, last_session_at, '
      || 'streak_at, with_friends, streak_shown, total_xp, longest_streak, weekly_xp_before, '
      || 'weekly_streak_before)'),
    ('app.user', 'select (uid, display_name, avatar_url, share_detailed_progress, show_detailed_stats)') $$,
  'The boards can show exactly these columns, whatever their views say.');

-- The job that closes seasons reads boards and writes history, and can rewrite or remove nobody's place. The one that
-- sends mail crosses out what is sent, and writes to those alone who forgot a password, whose address it may read. What
-- tends to companies forgets old lines of their records; what follows a company's directory makes and ends memberships
-- there. The audit counts, and goes through people by their uids.
select results_eq(
  $$ select relation, privileges from test.privilege where grantee = 'breathmaster_worker'::regrole order by relation $$,
  $$ values
    ('app.account_merge', 'delete, select, update (into_uid, agreed_at)'),
    ('app.audit_event', 'delete, select (uid, happened_at, event_id)'),
    ('app.company_season', 'insert, select, update (people, last_rank, last_value, digest, finalised_at, last_at)'),
    ('app.company_season_rank', 'delete, insert, select'),
    ('app.company_standing', 'delete, select'),
    ('app.daily_challenge', 'delete, select (uid, device_id, epoch, challenge_id, local_day)'),
    ('app.device_approval', 'delete, select'),
    ('app.device_request', 'delete, insert, select, update (next_poll_at, poll_seconds, state)'),
    ('app.directory_email', 'delete, insert, select'),
    ('app.directory_group', 'delete, select (organization_id, directory_group_id, display_name)'),
    ('app.directory_group_member', 'delete, select (organization_id, directory_group_id, directory_user_id)'),
    ('app.directory_leaver', 'delete, insert, select'),
    ('app.directory_tally', 'delete, insert, select, update (users)'),
    ('app.directory_user', 'delete, select, update (declined)'),
    ('app.domain_claim', 'delete, select (organization_id, domain, proved_at, claimed_at, due_at), update (due_at)'),
    ('app.email_claim', 'select (uid, address, domain, mailbox)'),
    ('app.game_state', 'select (uid, epoch, epoch_started_at, detail_from), update (detail_from)'),
    ('app.global_season', 'insert, select, update (people, last_rank, last_value, digest, finalised_at, last_at)'),
    ('app.global_season_rank', 'insert, select'),
    ('app.global_standing', 'select (period, uid, weekly_xp, weekly_xp_at, weekly_streak, weekly_streak_at, display_name, '
      || 'avatar_url, alias)'),
    ('app.global_tally', 'select'),
    ('app.global_tally_change', 'select'),
    ('app.identity', 'select (uid, identifier)'),
    ('app.invitation', 'delete, select (organization_id, invitation_id, good_until)'),
    ('app.member', 'delete, insert (organization_id, uid, role, domain, agreed_at, directory_user_id), '
      || 'select (organization_id, uid, role, domain, agreed_at, directory_user_id, shown_domain), update (domain, '
      || 'directory_user_id, shown_domain)'),
    ('app.organization', 'delete, select (organization_id, created_at, leaderboard_enabled, audit_retention_days, '
      || 'domain_restricted, deletion_due_at)'),
    ('app.organization_deletion', 'select, update (begun_at, finished_at, counts)'),
    ('app.organization_event', 'delete, select (organization_id, number, happened_at, hash)'),
    ('app.organization_event_head', 'select (organization_id, forgotten_number), update (forgotten_number, forgotten_hash)'),
    ('app.organization_key', 'delete, select (organization_id, key_id)'),
    ('app.outbox', 'delete, insert (uid, message_id, kind, recipient, seed, written_at, good_until, due_at), select, '
      || 'update (due_at, attempts, dead_at, dead_of)'),
    ('app.password_reset', 'delete, insert, select, update (attempts, state)'),
    ('app.season', 'insert, select, update (finalised_at)'),
    ('app.session', 'delete, select (uid, device_id, session_id, started_at, local_day, began_at)'),
    ('app.spent_nonce', 'delete, insert, select'),
    ('app.sync_batch', 'select (uid, batch_id, answer, received_at), update (answer)'),
    ('app.team', 'delete, select (organization_id, team_id, name)'),
    ('app.team_member', 'delete, select'),
    ('app.user', 'select (uid, data_retention)') $$,
  'The worker holds exactly these privileges on tables and views.');
select ok(
  not pg_has_role('breathmaster_owner', 'breathmaster_worker', 'usage'),
  'The owner can become the worker, but does not inherit what that may read.');

select is_empty(
  $$ select grantee, relation, privileges from test.privilege
     where grantee not in ('breathmaster_owner'::regrole, 'breathmaster_api'::regrole, 'breathmaster_boards'::regrole,
         'breathmaster_worker'::regrole)
       and relation not like 'migration.%' $$,
  'Nobody else, and not the public, holds any privilege on a table or view.');

-- The functions that run with their owner's rights are accept_ownership, add_access_token, add_organization_key,
-- agree_to_account_merge, answer_device_request, ask_deletion, ask_device_sign_in, ask_email, ask_password_reset,
-- befriend, bind, bind_organization, block_person, cancel_deletion, change_organization, change_role,
-- change_team_member, circle, claim_domain, close_seasons, company_guests, company_shows_real_names, confirm_account_merge,
-- create_team, delete_account, delete_organizations, delete_team, device_request_by_code, domains_to_check,
-- end_membership, enter_account_that_goes, enter_account_that_stays, enter_by_device_request, enter_by_identity,
-- enter_by_password_reset, enter_by_recovery_code, finalise_season, fold_global_tally, forget_detail,
-- forget_device_approvals, forget_organization_events, forget_rate_limits, forget_recovery_code, found_organization,
-- invite, inviting_organization_ids, is_guest_of, join_organization, joining_agreement, joining_preview, link_identity,
-- mail_refused, mail_taken, managed_organization_ids, note_key_use, notify_of_password, offer_ownership,
-- open_account_merge, organization_overview, own_addresses, own_company_boards, own_domains, own_organization_ids,
-- own_permissions, password_by_email, permitted_organization_ids, post_password_resets, prove_domain,
-- publish_standings, recheck_domain, redeem_friend_code, register, release_domain, rename_team, require_permission,
-- revoke_invitation, revoke_organization_key, take, take_mail, take_over_account, team_on_board, teams_on_board,
-- unfinished_seasons, unfriend, unlink_identity, verify_email, withdraw_ownership_offer. What changes a company asks
-- the role of the one who calls. The circle is here because calling a function is a privilege of whoever reads the
-- view, not of its owner; it tells nobody more than their own friends. So are own_company_boards, which tells of a
-- member's own company, company_shows_real_names, and company_guests, which tells a member the uids of those of their
-- colleagues who are on no board.
select results_eq(
  $$ select p.proname::text collate "default" from pg_proc p
     where p.pronamespace in ('app'::regnamespace, 'board'::regnamespace)
       and has_function_privilege('breathmaster_api', p.oid, 'execute')
     order by 1 $$,
  array['accept_ownership', 'add_access_token', 'add_organization_key', 'agree_to_account_merge',
    'answer_device_request', 'ask_deletion', 'ask_device_sign_in', 'ask_email', 'ask_password_reset', 'befriend',
    'bind', 'bind', 'bind', 'bind_organization', 'block_person', 'cancel_deletion', 'change_organization',
    'change_role', 'change_team_member', 'circle', 'claim_domain', 'close_seasons', 'company_guests',
    'company_shows_real_names', 'confirm_account_merge', 'create_team', 'delete_account', 'delete_organizations', 'delete_team',
    'device_request_by_code', 'directory_address', 'domains_to_check', 'end_membership', 'enter_account_that_goes',
    'enter_account_that_stays', 'enter_by_device_request', 'enter_by_identity', 'enter_by_password_reset',
    'enter_by_recovery_code', 'finalise_season', 'fold_global_tally', 'forget_detail', 'forget_device_approvals',
    'forget_organization_events', 'forget_rate_limits', 'forget_recovery_code', 'found_organization', 'invite',
    'inviting_organization_ids', 'is_guest_of', 'is_on_company_boards', 'is_on_global_board', 'join_organization',
    'joining_agreement', 'joining_preview', 'key_organization_id', 'link_identity', 'mail_refused', 'mail_taken',
    'managed_organization_ids', 'note_key_use', 'notify_of_password', 'offer_ownership', 'open_account_merge',
    'organization_id', 'organization_overview', 'own_addresses', 'own_company_boards', 'own_domains',
    'own_organization_ids', 'own_permissions', 'password_by_email', 'permitted_organization_ids',
    'post_password_resets', 'prove_domain', 'publish_standings', 'recheck_domain', 'redeem_friend_code',
    'refuse_more_sessions', 'refuse_unbound', 'register', 'release_domain', 'rename_team', 'require_permission',
    'revoke_invitation', 'revoke_organization_key', 'take', 'take_mail', 'take_over_account', 'team_on_board',
    'teams_on_board', 'uid', 'unfinished_seasons', 'unfriend', 'unlink_identity', 'verify_email',
    'withdraw_ownership_offer'],
  'The API role can call exactly these functions.');

-- The same from where the server stands: what is not granted is refused, even
-- to the person whom the row is about.
call test.be(test.ada(), test.acme());

select throws_ok('select uid from app.standing', '42501', 'permission denied for table standing',
  'The server cannot read the table of standings.');
select throws_ok('select uid from app.global_standing', '42501', 'permission denied for table global_standing',
  'The server reads the global board through its view only.');
select throws_ok('select uid from app.company_standing', '42501', 'permission denied for table company_standing',
  'The server reads a company''s board through its view only.');

-- What is the operator's, and what only other functions call.
select throws_ok($$ select app.create_organization('Mine', 'mine.example', test.ada()) $$, '42501',
  'permission denied for function create_organization',
  'The server cannot found a company.');
select throws_ok($$ select app.record_email(test.ada(), 'ada@umbrella.example') $$, '42501',
  'permission denied for function record_email',
  'The server cannot vouch for an address.');
select throws_ok($$ select app.uid_by_email('ada@acme.example') $$, '42501',
  'permission denied for function uid_by_email',
  'The server cannot ask whose an address is.');
select throws_ok($$ select app.spend_password_reset(test.ada(), sha256('reset'), now()) $$, '42501',
  'permission denied for function spend_password_reset',
  'The server cannot spend a code without letting its person in.');
select throws_ok($$ select app.spend_device_request(test.ada(), sha256('device'), now()) $$, '42501',
  'permission denied for function spend_device_request',
  'The server cannot ask who let a device in without becoming them.');
select throws_ok($$ select app.friend_door(test.ben()) $$, '42501',
  'permission denied for function friend_door',
  'The server cannot ask whether a person exists, takes requests or blocked the one who asks.');
select throws_ok($$ select app.friend_code_owner(sha256('code of Ada')) $$, '42501',
  'permission denied for function friend_code_owner',
  'The server cannot ask whose code it is without counting that.');
select throws_ok('select uid from board.blocked', '42501', 'permission denied for view blocked',
  'The server cannot ask who blocked somebody.');
select throws_ok($$ select app.post_mail(gen_random_uuid(), 'emailCode', 'b@acme.example', null, now(), now()) $$, '42501',
  'permission denied for function post_mail',
  'The server writes no mail but what a function of the owner has it write.');
select throws_ok($$ select app.project_standings() $$, '42501',
  'permission denied for function project_standings',
  'The server cannot call what keeps the projections.');

select * from finish();
rollback;
