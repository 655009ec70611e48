"""What `cite` asks of the history: was an agreement, or an agency, listed on a day, and which workbooks show it?"""

from pipeline.citing.absence import cite_absence, cite_never, ever_named
from pipeline.citing.agreements import cite_agreement, cite_several
from pipeline.citing.days import NothingKnown
from pipeline.citing.meant import Candidate, bearing, candidates, listed_among, of_agency

__all__ = [
    "Candidate",
    "NothingKnown",
    "bearing",
    "candidates",
    "cite_absence",
    "cite_agreement",
    "cite_never",
    "cite_several",
    "ever_named",
    "listed_among",
    "of_agency",
]
