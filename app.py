"""The list of pages and nothing else: a page may be run without this file, and then has to be complete.

`streamlit run` imports this file once as the server's, and then runs it anew for each visitor's every view.
"""

import streamlit as st

if __name__ == "__main__":
    from pages.shared.frame import page_config
    from pages.shared.links import declared

    page_config()
    st.navigation(declared(), position="hidden").run()
else:
    from pages.shared.live.feed import routes
    from pages.shared.startup import starting

    app = st.App(__file__, lifespan=starting, routes=routes())
