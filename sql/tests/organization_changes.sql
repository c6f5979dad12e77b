-- Who may change what in a company, and the record of it.
begin;
set local client_min_messages = warning;
create extension if not exists pgtap;
select plan(62);
\ir support/cast.sql

-- The list of permissions (app.role_permission) is asked, and read by nobody. Ada owns
-- Acme, Ben is a plain member of it, Eve owns Umbrella.

select is(test.each('select from app.role_permission'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'What a role may do is asked through functions alone.');
select is(test.each($$ select app.require_permission(test.acme(), 'members.read') $$),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'A role that does not allow it is refused, and to others the company is not there.');
call test.be(test.ada());
select ok(app.own_permissions(test.acme()) @> array['ownership.transfer', 'audit.read'] and app.own_permissions(test.umbrella()) = '{}',
  'An owner is told what they may do, in their own company.');
call test.be(test.ben());
select is(app.own_permissions(test.acme()), '{}', 'A plain member may do nothing to the company.');
reset role;
-- One table says it: without its row, nobody may.
delete from app.role_permission where permission = 'settings.change';
select is(test.each($$ select app.change_organization(test.acme(), '{"name": "Emca"}', test.origin()) $$),
  'herself BM403, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'What the list does not have, not even an owner may.');
insert into app.role_permission values ('owner', 'settings.change');

-- Members (policy member_administered, through the view).

select is(test.each('select from board.member where organization_id = test.acme()'),
  'herself 2, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'Who answers for a company sees its members, and nobody else does.');
select is(test.each('select from board.member where uid = test.eve()'),
  'herself 0, colleague 0, friend 0, other company 1, stranger 0, unbound 42501',
  'And the members of no other company.');
select columns_are('board', 'member', array['organization_id', 'uid', 'display_name', 'avatar_url', 'role', 'joined_at'],
  'Of a member an admin sees the name, the role and since when, and no practice.');

-- Offers of a company (policies ownership_offer_concerned, ownership_offer_bound). The cast has one by Ben, to Ada.

select is(test.each('select from app.ownership_offer where organization_id = test.acme()'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'An offer is seen by the one who made it and the one whom it is for.');
select is(test.each('delete from app.ownership_offer'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'An offer is ended through the function that records it.');
select is(test.each('select from app.ownership_offer', 'breathmaster_owner'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees the offers of the bound company and no others.');
select is(
  test.each($$ insert into app.ownership_offer values (test.acme(), test.ben(), test.ada(), now(), now()) $$, 'breathmaster_owner'),
  'herself 1, colleague 1, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner offers the bound company and no other.');
delete from app.ownership_offer;

-- The record (policies organization_event_audited for the server, _kept and _added for the
-- functions of the owner). Acme's has five lines: it was founded, Ben joined, it got a key, and a team with Ada in it.

select is(test.each('select from app.organization_event where organization_id = test.acme()'),
  'herself 5, colleague 0, friend 0, other company 0, stranger 0, unbound 42501',
  'The record of a company is for those who answer for it.');
select is(test.each('insert into app.organization_event select * from app.organization_event'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server writes no line by itself.');
select is(test.each('select app.record_organization_event(test.acme(), ''x'', ''y'', null, null, test.origin())'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A line is written by what causes it.');
select is(test.each('update app.organization_event set actor = ''operator'''),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server changes no line.');
select is(test.each('delete from app.organization_event'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'The server removes no line.');
select is(test.each('update app.organization_event set actor = ''operator''', 'breathmaster_owner'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner changes no line.');
select is(test.each('delete from app.organization_event', 'breathmaster_owner'),
  'herself 0, colleague 0, friend 0, other company 0, stranger 0, unbound 0',
  'A function of the owner removes no line.');
select is(test.each('select from app.organization_event', 'breathmaster_owner'),
  'herself 5, colleague 5, friend 0, other company 1, stranger 0, unbound 42501',
  'A function of the owner reads the bound company''s record and no other.');
select is(
  test.each($$ insert into app.organization_event values (test.acme(), 9, now(), 'x', 'x', 'x', null, null, '', gen_random_uuid(), sha256('')) $$,
    'breathmaster_owner'),
  'herself 1, colleague 1, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'A function of the owner adds to the bound company''s record and no other.');
select is(test.each('select from app.organization_event_head'),
  'herself 42501, colleague 42501, friend 42501, other company 42501, stranger 42501, unbound 42501',
  'Where a record ends is for the functions that add to it.');
select is(test.each('select from app.organization_event_head where organization_id = test.acme()', 'breathmaster_owner'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner sees where the bound company''s record ends.');
select is(test.each('update app.organization_event_head set last_number = 7 where organization_id = test.acme()', 'breathmaster_owner'),
  'herself 1, colleague 1, friend 0, other company 0, stranger 0, unbound 42501',
  'A function of the owner moves the end of the bound company''s record and of no other.');

-- Founding one.

call test.be(test.stranger());
do $$ begin perform set_config('test.shell', app.found_organization('Shell', test.origin())::text, true); end $$;
reset role;
select results_eq(
  $$ select o.name, m.role, u.display_name, (select count(*) from app.domain_claim d where d.organization_id = o.organization_id)
     from app.organization o join app.member m using (organization_id) join app.user u using (uid)
     where o.organization_id = test.known('shell') $$,
  $$ values ('Shell', 'owner', 'stranger', 0::bigint) $$,
  'Who founds a company owns it, and it has proved nothing.');
call test.be(test.stranger());
do $$ begin for n in 2 .. 10 loop perform app.found_organization(n::text, test.origin()); end loop; end $$;
select throws_ok($$ select app.found_organization('11', test.origin()) $$, 'BM409', 'no room for another company',
  'A person owns ten companies at most.');
call test.be_unbound();
select throws_ok($$ select app.found_organization('Nobody''s', test.origin()) $$, '42501', 'no principal is bound to this transaction',
  'Nobody founds a company unbound.');
reset role;

-- Settings.

select is(test.each($$ select app.change_organization(test.acme(), '{"name": "Emca", "auditRetentionDays": 90}', test.origin()) $$),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'A company''s settings are for those who answer for it.');
call test.be(test.ada());
select throws_ok($$ select app.change_organization(test.acme(), '{"auditRetentionDays": 89}', test.origin()) $$, '23514', null,
  'A record is kept for 90 days at least.');
select app.change_organization(test.acme(), '{"name": "Acme"}', test.origin());
select app.change_organization(test.acme(), '{"name": "Emca"}', test.origin());
select results_eq(
  $$ select number, actor, action, target, before ->> 'name', after ->> 'name', source, request_id, happened_at
     from app.organization_event where organization_id = test.acme() and action like 'settings.%' $$,
  $$ values (6::bigint, 'user:' || test.ada(), 'settings.changed', 'organization', 'Acme', 'Emca', '198.51.100.0/24',
    '0a0a0a0a-0000-4000-8000-000000000001'::uuid, '2026-03-06 12:00Z'::timestamptz) $$,
  'A change is recorded, with what was and what is; what changed nothing is not.');
reset role;

-- Roles.

select is(test.each($$ select app.change_role(test.acme(), test.ben(), 'analyst', test.origin()) $$),
  'herself 1, colleague BM403, friend BM404, other company BM404, stranger BM404, unbound 42501',
  'Roles are given by those who answer for the company.');
call test.be(test.ada());
select throws_ok($$ select app.change_role(test.acme(), test.frank(), 'admin', test.origin()) $$, 'BM404', 'no such member',
  'Who is no member gets no role.');
select throws_ok($$ select app.change_role(test.acme(), test.eve(), 'admin', test.origin()) $$, 'BM404', 'no such member',
  'And neither does a member of another company.');
select throws_ok($$ select app.change_role(test.acme(), test.ben(), 'owner', test.origin()) $$, 'BM422', 'not a role to be given',
  'Nobody is made an owner without a yes.');
select throws_ok($$ select app.change_role(test.acme(), test.ada(), 'member', test.origin()) $$, 'BM409', 'the last owner',
  'The last owner keeps the role.');
select lives_ok($$ select app.change_role(test.acme(), test.ben(), 'admin', test.origin()) $$, 'An owner makes an admin.');
select is(app.uid(), test.ada(), 'Afterwards the transaction acts for whom it did before.');
call test.be(test.ben());
select throws_ok($$ select app.change_role(test.acme(), test.ada(), 'member', test.origin()) $$, 'BM403', 'that role does not allow it',
  'An admin takes no owner''s role.');
select throws_ok($$ select app.end_membership(test.acme(), test.ada(), test.origin()) $$, 'BM403', 'that role does not allow it',
  'An admin removes no owner.');
select throws_ok($$ select app.offer_ownership(test.acme(), test.ben(), test.origin()) $$, 'BM403', 'that role does not allow it',
  'An admin hands over no company.');
select results_eq('select display_name, role from board.member order by 1', $$ values ('Ada', 'owner'), ('Ben', 'admin') $$,
  'An admin sees the members.');

-- Handing it over.

call test.be(test.ada());
select throws_ok($$ select app.offer_ownership(test.acme(), test.eve(), test.origin()) $$, 'BM404', 'no such member',
  'A company is offered to its members.');
select throws_ok($$ select app.offer_ownership(test.acme(), test.ada(), test.origin()) $$, 'BM422', 'an owner already',
  'And to no owner of it.');
select lives_ok($$ select app.offer_ownership(test.acme(), test.ben(), test.origin()) $$, 'An owner offers the company.');
select throws_ok($$ select app.accept_ownership(test.acme(), test.origin()) $$, 'BM404', 'nothing is offered',
  'Nobody says yes for another.');
call test.be(test.ben());
select ok(app.withdraw_ownership_offer(test.acme(), test.origin()), 'Who is asked can say no.');
select throws_ok($$ select app.accept_ownership(test.acme(), test.origin()) $$, 'BM404', 'nothing is offered',
  'A no is a no.');
call test.be(test.ada());
select app.offer_ownership(test.acme(), test.ben(), test.origin());
call test.be(test.ben());
select throws_ok($$ select app.accept_ownership(test.acme(), row(gen_random_uuid(), '', '2026-03-13 12:00Z')::app.origin) $$,
  'BM404', 'nothing is offered', 'An offer is good for seven days.');
select lives_ok($$ select app.accept_ownership(test.acme(), test.origin()) $$, 'A yes makes an owner.');
select results_eq('select display_name, role from board.member order by 1', $$ values ('Ada', 'admin'), ('Ben', 'owner') $$,
  'Who handed over is an admin.');

-- Leaving.

select throws_ok($$ select app.end_membership(test.acme(), test.ben(), test.origin()) $$, 'BM409', 'the last owner',
  'The last owner cannot leave.');
call test.be(test.eve());
select is(app.end_membership(test.acme(), test.eve(), test.origin()), false, 'Who never belonged has nothing to leave.');
select throws_ok($$ select app.end_membership(test.acme(), test.ben(), test.origin()) $$, 'BM404', 'no organization of this user',
  'Nobody is removed from elsewhere.');
call test.be(test.ada(), test.acme());
select is(test.names_on('company'), 'Ada, Ben', 'Both are on the board.');
select ok(app.end_membership(test.acme(), test.ada(), test.origin()), 'Ada leaves.');
call test.be(test.ben(), test.acme());
select is(test.names_on('company'), 'Ben', 'In the same transaction she is off its board.');
reset role;

-- The record holds together, and one altered line is found.

select results_eq('select events, wrong from app.verify_organization_events(test.acme())', $$ values (12::bigint, null::bigint) $$,
  'A record that nobody touched holds together.');
update app.organization_event set actor = 'user:' || test.eve() where organization_id = test.acme() and number = 4;
select results_eq('select wrong, why from app.verify_organization_events(test.acme())',
  $$ values (4::bigint, 'the line is not what was written') $$, 'One altered line is found.');
update app.organization_event set actor = 'user:' || test.ada() where organization_id = test.acme() and number = 4;
delete from app.organization_event where organization_id = test.acme() and number = 12;
select results_eq('select wrong, why from app.verify_organization_events(test.acme())',
  $$ values (12::bigint, 'the last line is missing, or is not what was written') $$, 'A missing end is found.');

-- Old lines go (policies organization_tended, organization_event_tended and _forgotten, organization_event_head_tended).

update app.organization set created_at = '2026-03-01Z';
update app.organization_event set happened_at = '2026-03-06 12:00Z' where number = 1;
update app.organization_event set happened_at = '2027-01-01Z' where organization_id = test.acme() and number = 11;
call test.be_unbound();
select is(app.forget_organization_events('2026-03-07Z', 100), 0, 'What is young stays.');
select is(app.forget_organization_events('2027-03-20Z', 100), 21, 'What is older than its company wants it kept goes.');
reset role;
select results_eq(
  $$ select number, (select forgotten_number from app.organization_event_head where organization_id = test.acme())
     from app.organization_event where organization_id = test.acme() $$,
  $$ values (11::bigint, 10::bigint) $$, 'And it is known where the rest begins.');

select * from finish();
rollback;
