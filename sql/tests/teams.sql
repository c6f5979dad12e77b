-- Teams within a company: who puts one together, and whom the board of one is for.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(38);
\ir support/cast.sql

-- The cast has a team of Acme's with Ada in it, and one of Acme's directory with Cara, who isn't here.

-- Who manages a company sees its teams (policies team_managed, team_member_managed).

select is(test.each('select from app.team where organization_id = test.acme()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'A company''s teams are seen by those who manage them.');
select is(test.each('select from app.team_member where organization_id = test.acme()'),
  'herself 1, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'And so is who belongs to them.');
select is(test.each('insert into app.team_member values (test.acme(), test.acme(), test.ben())'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server puts nobody into a team but by the function that records it.');

-- The functions of the owner see the bound company's (policies team_bound, team_member_bound).

select is(test.each('select from app.team', 'breathmaster_owner'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the teams of the bound company and no others.');
select is(test.each('select from app.team_member', 'breathmaster_owner'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'And who belongs to those.');
select is(
  test.each($$ insert into app.team (organization_id, team_id, name, created_at) values (test.acme(), gen_random_uuid(), 'x', now()) $$,
    'breathmaster_owner'),
  'herself 1, colleague 1, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner makes teams of the bound company and of no other.');
select is(test.each('insert into app.team_member values (test.acme(), test.acme(), test.ben())', 'breathmaster_owner'),
  'herself 1, colleague 1, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'And puts members into those.');

-- Who may.

select is(test.each($$ select app.create_team(test.acme(), gen_random_uuid(), 'Divers', test.origin()) $$),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'A team is made by those who manage the company.');
select is(test.each($$ select app.rename_team(test.acme(), test.acme(), 'Divers', test.origin()) $$),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501', 'And named by them.');
select is(test.each('select app.change_team_member(test.acme(), test.acme(), test.ben(), true, test.origin())'),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'Who belongs to it is for them to say.');
select is(test.each('select app.delete_team(test.acme(), test.acme(), test.origin())'),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501', 'And when it ends.');
call test.be(test.ada());
select throws_ok('select app.change_team_member(test.acme(), test.acme(), test.eve(), true, test.origin())', 'BM404', 'no such member',
  'Nobody from elsewhere is in a team.');
select throws_ok('select app.change_team_member(test.umbrella(), test.acme(), test.eve(), true, test.origin())', 'BM404', null,
  'Nor in a team of another company.');
select throws_ok($$ select app.create_team(test.acme(), gen_random_uuid(), 'BREATHERS', test.origin()) $$, '23505', null,
  'A name is one team''s.');
reset role;

-- On the board, from five on. Three more work at Acme.

create function test.on_board(week text default '2026-W10') returns text language sql as $$
  select coalesce(string_agg(name || ' ' || cardinality(uids), ', ' order by name), 'none') from app.teams_on_board(week)
$$;
call test.be(test.ada(), test.acme());
select is(test.on_board(), 'none', 'A team of one is on no board.');
select throws_ok($$ select app.team_on_board('2026-W10', test.acme()) $$, 'BM404', 'no such team on the board',
  'Asked for, it is as if there were none,');
select throws_ok($$ select app.team_on_board('2026-W10', gen_random_uuid()) $$, 'BM404', 'no such team on the board', 'like one that there is not.');
reset role;
call test.enter('Dana', false, false, true);
call test.practise(500);
call test.enter('Gwen', false, false, true);
call test.practise(500);
call test.enter('Hugo', false, false, true);
call test.practise(500);
reset role;
do $$
declare
  called text;
begin
  foreach called in array array['dana', 'gwen', 'hugo'] loop
    set local role breathmaster_owner;
    perform app.record_email(test.known(called), called || '@acme.example');
    call test.be(test.known(called));
    perform app.join_organization(test.acme(), test.agreed(test.acme()), test.origin());
  end loop;
  call test.be(test.ada(), test.acme());
  foreach called in array array['dana', 'gwen', 'hugo'] loop
    perform app.change_team_member(test.acme(), test.acme(), test.known(called), true, test.origin());
  end loop;
end
$$;
select is(test.on_board(), 'none', 'Nor is a team of four.');
call test.be(test.ada(), test.acme());
select app.change_team_member(test.acme(), test.acme(), test.ben(), true, test.origin());
select is(test.on_board(), 'Breathers 5', 'A team of five is.');
call test.be(test.ben(), test.acme());
select is(test.on_board(), 'Breathers 5', 'For everybody who sees the board.');
select is(cardinality(app.team_on_board('2026-W10', test.acme())), 5, 'Who asks for it is told who they are.');
call test.be(test.known('dana'));
select app.block_person(test.ben());
call test.be(test.ben(), test.acme());
select is(test.on_board(), 'none', 'Of five, who is blocked by one sees four, which is as if there were no team.');
call test.be(test.ada(), test.acme());
select is(test.on_board(), 'Breathers 5', 'For the others it is there.');
call test.be(test.known('dana'));
delete from app.block;
call test.be(test.ben(), test.acme());
select is(test.on_board('2026-W05'), 'none', 'Of a week in which five of them were on the board.');
-- Nor a week in which the company had its board off when it was closed.
do $$
declare
  called text;
begin
  foreach called in array array['ada', 'ben', 'dana', 'gwen', 'hugo'] loop
    call test.be(test.known(called));
    call test.practise_in('2026-W06', 100);
  end loop;
end
$$;
call test.be(test.ben(), test.acme());
select is(test.on_board('2026-W06'), 'Breathers 5', 'While a week runs, it is as it is.');
reset role;
update app.organization set leaderboard_enabled = false where organization_id = test.acme();
select app.close_seasons(array['2026-W06'], '2026-02-12 18:00Z');
update app.organization set leaderboard_enabled = true where organization_id = test.acme();
call test.be(test.ben(), test.acme());
select is(test.on_board('2026-W06'), 'none', 'Of a week that was closed while the company had no board, no team has one.');
-- A guest counts for nobody, nor for what those see who answer for the company.
call test.be(test.ada());
select is((select active from app.organization_overview(test.acme(), '2026-W10', '2026-03-06 18:00Z')), 5,
  'Five of them practised and show the company that.');
reset role;
update app.member set domain = null where uid = test.ben();
delete from app.email_claim where uid = test.ben();
call test.be(test.ada(), test.acme());
select is(test.on_board(), 'none', 'A team of five with a guest is one of four.');
select is((select active from app.organization_overview(test.acme(), '2026-W10', '2026-03-06 18:00Z')), null,
  'The company doesn''t see that a guest practises.');
call test.be(test.ben(), test.acme());
select is(test.on_board(), 'none', 'For a guest there is no team.');
reset role;
set local role breathmaster_owner;
select app.record_email(test.ben(), 'ben@acme.example');
call test.be(test.ben(), test.acme());
select is(test.on_board(), 'Breathers 5', 'Who shows an address of the company''s is one of five again.');
call test.be(test.eve(), test.umbrella());
select is(test.on_board(), 'none', 'To another company there is no such team.');
call test.be(test.ben());
select is(test.on_board(), 'none', 'Nor to who does not ask as a member.');
reset role;
update app.organization set leaderboard_enabled = false where organization_id = test.acme();
call test.be(test.ben(), test.acme());
select is(test.on_board(), 'none', 'Where the company has no board, no team has one.');
reset role;
update app.organization set leaderboard_enabled = true where organization_id = test.acme();
call test.be(test.ben(), test.acme());
update app.user set company_board = false where uid = test.ben();
select is(test.on_board(), 'none', 'Who does not share on the board is none of the five.');
update app.user set company_board = true where uid = test.ben();
reset role;
delete from app.member where uid = test.ben();
call test.be(test.ada(), test.acme());
select is(test.on_board(), 'none', 'Who leaves the company leaves its teams.');

-- A final season. Ivy practised in it, and joins after.

reset role;
call test.enter('Ivy', false, false, true);
call test.practise(500);
call test.be(test.ben());
select app.join_organization(test.acme(), test.agreed(test.acme()), test.origin());
call test.be(test.ada(), test.acme());
select app.change_team_member(test.acme(), test.acme(), test.ben(), true, test.origin());
select app.close_seasons(array['2026-W10'], '2026-03-12 18:00Z');
select app.finalise_season('2026-W10', 1000, '2026-03-12 18:00Z');
reset role;
set local role breathmaster_owner;
select app.record_email(test.known('ivy'), 'ivy@acme.example');
call test.be(test.known('ivy'));
select app.join_organization(test.acme(), test.agreed(test.acme()), test.origin());
call test.be(test.ada(), test.acme());
select app.change_team_member(test.acme(), test.acme(), test.known('ivy'), true, test.origin());
select is(test.on_board(), 'Breathers 5', 'Of a final season a team has those who are in its history,');
select ok(test.known('ivy') <> all (app.team_on_board('2026-W10', test.acme())), 'and nobody who came later.');

select * from finish();
rollback;
