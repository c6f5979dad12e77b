-- The end of a company, and what is seen of one at a glance.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(37);
\ir support/cast.sql

-- Who may.

select is(test.each('select app.ask_deletion(test.acme(), test.origin())'),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'A company is deleted by its owner.');
select is(test.each('select app.cancel_deletion(test.acme(), test.origin())'),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'And kept by them.');
select is(test.each($$ select app.organization_overview(test.acme(), '2026-W10', '2026-03-06Z') $$),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'How a company stands is for those who answer for it.');
select is(test.each('select app.suspend_organization(test.acme(), true, test.origin())'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Only the operator closes a company.');
select is(test.each('select app.order_deletion(test.acme(), test.origin())'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'And only the operator deletes one that is not their own.');

-- Receipts (policies organization_deletion_bound, organization_deletion_tended): not for the server to read.

select is(test.each('select from app.organization_deletion'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'What was deleted is for the operator to know.');
insert into app.organization_deletion (organization_id, asked_at) values (test.acme(), '2026-03-06Z');
select is(test.each('select from app.organization_deletion', 'breathmaster_owner'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the bound company''s receipt and no other.');
delete from app.organization_deletion where organization_id = test.acme();

-- What the job sees beyond what it sees already (policies organization_ended, company_standing_tended,
-- company_season_rank_tended, invitation_tended).

create function test.seen_by_the_job(of_table text, counted text) returns text language plpgsql as $$
declare
  seen text[] := '{}';
  company uuid;
  number bigint;
begin
  set local role breathmaster_worker;
  perform set_config('app.closing_season', 'none', true), set_config('app.uid', test.stranger()::text, true);
  foreach company in array array[test.acme(), test.umbrella(), test.stranger()] loop
    perform set_config('app.tending', '2100-01-01Z', true), set_config('app.organization_id', company::text, true);
    execute format('select count(%I) from app.%I', counted, of_table) into number;
    seen := seen || number::text;
  end loop;
  perform set_config('app.tending', '', true);
  if of_table <> 'organization_deletion' then
    execute format('select count(%I) from app.%I', counted, of_table) into number;
    seen := seen || number::text;
  end if;
  reset role;
  return array_to_string(seen, ' ');
end
$$;
select is(test.seen_by_the_job('company_standing', 'uid'), '2 1 0 0', 'The job sees the board of the company that it tends to.');
select is(test.seen_by_the_job('company_season_rank', 'uid'), '2 2 0 0', 'And its history.');
select is(test.seen_by_the_job('invitation', 'invitation_id'), '1 0 0 0', 'And its invitations.');
-- The same of its directory, its teams and its keys (policies ..._tended).
select is(test.seen_by_the_job('directory_user', 'directory_user_id'), '1 0 0 0', 'And whom its directory has.');
select is(test.seen_by_the_job('directory_group', 'directory_group_id'), '1 0 0 0', 'And the teams there.');
select is(test.seen_by_the_job('directory_group_member', 'directory_user_id'), '1 0 0 0', 'And who is in those.');
select matches(test.seen_by_the_job('directory_tally', 'shard'), '^[12] 0 0 0$', 'And how many it has.');
select is(test.seen_by_the_job('directory_leaver', 'digest'), '1 0 0 0', 'And whom it had.');
select is(test.seen_by_the_job('organization_key', 'key_id'), '1 0 0 0', 'And its keys.');
select is(test.seen_by_the_job('team', 'team_id'), '1 0 0 0', 'And its teams.');
select is(test.seen_by_the_job('team_member', 'uid'), '1 0 0 0', 'And who is in them.');
set local role breathmaster_worker;
do $$ begin perform set_config('app.tending', '2000-01-01Z', true); end $$;
select is(test.rows('select organization_id from app.organization_deletion'), 0::bigint, 'Of receipts it sees those that were there by then.');
do $$ begin perform set_config('app.tending', '2100-01-01Z', true), set_config('app.organization_id', test.acme()::text, true); end $$;
select is(test.rows('select organization_id from app.organization_deletion'), 1::bigint, 'Of every company.');
select is(test.rows('delete from app.organization where organization_id = test.acme()'), 0::bigint,
  'It deletes no company whose time has not come.');
reset role;

-- A closed company.

call test.be(test.ada(), test.acme());
select is(test.names_on('company'), 'Ada, Ben', 'There is a board.');
select ok(app.own_permissions(test.acme()) @> '{settings.change}', 'And its owner may change it.');
reset role;
set local role breathmaster_owner;
select lives_ok('select app.suspend_organization(test.acme(), true, test.origin())', 'The operator suspends it.');
select throws_ok('select app.suspend_organization(gen_random_uuid(), true, test.origin())', 'BM404', 'no such organization',
  'Where there is none, there is none to suspend.');
call test.be(test.ada(), test.acme());
select is(test.names_on('company'), 'nobody', 'A closed company has no board.');
select is(app.own_permissions(test.acme()), '{audit.read,members.read,organization.delete,overview.read}',
  'Those who answer for it look, and change nothing.');
call test.be(test.ben());
select is_empty('select from board.suggestion', 'It is suggested to nobody.');
select ok(app.end_membership(test.acme(), test.ben(), test.origin()), 'Leaving is still everybody''s.');
call test.be(test.ada(), test.acme());
select throws_ok('select app.end_membership(test.acme(), test.ada(), test.origin())', 'BM409', 'the last owner', 'But the last owner''s.');

-- Deletion, a step at a time.

reset role;
set local role breathmaster_owner;
select lives_ok('select app.suspend_organization(test.acme(), false, test.origin())', 'The operator opens it again.');
call test.be(test.ada(), test.acme());
select lives_ok('select app.ask_deletion(test.acme(), test.origin())', 'The owner deletes it.');
select is(test.names_on('company'), 'nobody', 'It is closed at once.');
reset role;
update app.organization set created_at = '2026-03-01Z';
call test.be_unbound();
select is((app.delete_organizations('2026-03-13 11:59Z', 10)).removed, 0, 'For seven days nothing goes.');
select ok((app.delete_organizations('2026-03-13 12:00Z', 1)).finished is null, 'Then it goes, a step at a time.');
do $$ begin while (app.delete_organizations('2026-03-13 12:00Z', 1)).removed > 0 loop end loop; end $$;
reset role;
select is_empty('select from app.organization where organization_id = test.acme()', 'All of it goes.');
select results_eq(
  $$ select finished_at, counts -> 'member', counts -> 'company_standing', counts -> 'organization'
     from app.organization_deletion where organization_id = test.acme() $$,
  $$ values ('2026-03-13 12:00Z'::timestamptz, '1'::jsonb, '1'::jsonb, '1'::jsonb) $$, 'And the receipt says how much that was.');

select * from finish();
rollback;
