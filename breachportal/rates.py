"""The limits of single visitors, in the form of foundations.rate_limits: "5/10m/key".

"ip" is an IPv4 address or a /64 network, "site" a /24 or /48 network.
"""


def of_codes(mails_per_minute: int) -> dict[str, str]:
    """Returns the limits on sign-in codes; see docs/decisions/0027.

    `mails_per_minute` is the limit on code mails to all addresses together.
    """
    return {
        "ask": "5/10m/key,20/d/key",  # mails to one address, requested from one "ip"
        "ask_site": "8/10m/key,30/d/key",  # from one "site"
        "ask_anywhere": "10/10m/key,30/d/key",  # from all networks together
        "ask_rarely": "1/15m/key",  # after those of "ask_anywhere"
        "ask_known": "5/10m/key,30/d/key",  # from a device that proved the address before
        "ask_step_up": "5/10m/key,20/d/key",  # by one signed-in user
        # Codes that were requested and not entered, and wrong codes. Above it a network is
        # suspicious.
        "network": "600/10m/ip,3000/10m/site",
        # Places in the waiting room. Above it a network waits in a second queue.
        "waiting_room": "600/10m/ip,3000/10m/site",
        "suspicious_mails": f"{mails_per_minute * 7 // 10}/m/key",
        "all_mails": f"{mails_per_minute}/m/key",
        # The same of codes by text message; the budget of a day is in accounts.code_texts.
        "text_ask": "3/10m/key,6/d/key",
        "text_ask_site": "4/10m/key,8/d/key",
        "text_ask_anywhere": "5/10m/key,8/d/key",
        "text_ask_rarely": "1/2h/key",
        "text_ask_known": "5/10m/key,10/d/key",
        "text_network": "30/10m/ip,60/d/ip,150/10m/site,200/d/site",
        # Guesses at a code that another browser requested; SIGN_IN_CODE_TRIES limits the others.
        "guess_newest": "10/h/key",  # for one address, from one "site"
        "guess_newest_anywhere": "200/h/key",
    }


# Each limit of an "ip" has one of a "site", five times as high: who rents a /48 network has 65,536
# networks of /64.
OF_PAGES = {
    # Accounts are free: a catch-all domain has as many as codes are sent. So what a user may do
    # only sometimes, because it takes a tenth of a second or work of the team, has limits of
    # networks as well. Above them a network is crowded, and each of its users has the narrower
    # limit "..._in_crowd": a carrier's customers are not refused because of strangers.
    "document_network": "600/h/ip,3000/h/site",  # copies and certificates
    "document_in_crowd": "3/h/key",
    "claim_network": "60/h/ip,300/h/site",  # claims of data with the code of a message
    "claim": "5/h/key,10/d/key",
    "ticket_network": "300/h/ip,1500/h/site",
    "ticket_in_crowd": "2/h/key,6/d/key",
    "own_copy": "10/h/key",
    "certificate_issue": "10/h/key",  # "key": one user
    "certificate_check": "30/m/ip,600/h/ip,150/m/site,3000/h/site",
    "push_renewal": "60/m/ip,600/h/ip,300/m/site,3000/h/site",
    "breach_api": "60/m/ip,300/m/site",
    "look_up_network": "120/m/ip,600/m/site",  # look-ups with any key, and without one
    "look_up": "10/m/key",  # with one key
    "look_up_key": "10/d/key",  # new keys of one user
    "passkey": "120/m/ip,600/m/site",
    "desk_api": "120/m/ip,600/m/site",
    # A mobile carrier puts thousands of people behind one network address.
    "message_check": "120/m/ip,600/m/site",
    "stop_texts": "120/m/ip,600/m/site",
    "language_switch": "120/m/ip,600/m/site",
    "kept_answer": "60/m/ip,300/m/site",  # of visitors without a session
    "kept_answer_of_session": "20/m/key",
    "scam_report": "30/10m/ip,300/d/ip,150/10m/site,1500/d/site",
    "ticket": "10/h/key,30/d/key",
    "offer": "20/h/key",
    "own_test": "6/10m/key,40/d/key",  # tests that a member of the team sends to themselves
    # In units of about 20 ms of processor time: see accounts.page_budgets. With 120 a minute one
    # account takes 4 per cent of a core, with 600 in ten minutes 2 per cent; a member of the team
    # 30 and 20, because pages of the desk cost more and load themselves again. A network takes half
    # of a core before it is crowded.
    "own_pages": "120/m/key,600/10m/key",
    "own_pages_network": "1500/m/ip,3000/m/site",
    "own_pages_in_crowd": "30/m/key,120/10m/key",
    "desk_pages": "900/m/key,6000/10m/key",
    # The team of a company may sit behind one address, and customers behind one of a carrier. All
    # networks above it share "..._in_crowd"; see accounts.company_sign_on.limits.
    "company_sign_on": "240/m/ip,1200/m/site",
    "company_sign_on_in_crowd": "1200/m/key",
    "company_sign_on_known": "20/10m/key",  # one browser that signed in before
}
