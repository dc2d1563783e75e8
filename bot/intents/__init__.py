"""How a request enters: intake stores it and acks, the dispatcher runs it, recovery picks up what was open."""
