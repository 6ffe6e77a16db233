"""What Streamlit's own elements cannot draw live: each a Python function and one ES module, without a build step.

`st.plotly_chart` replaces its node at every tick of a `run_every` fragment, and a zoom or a tooltip is lost with it.
The modules here make their node once for each key; a later call hands the same node new numbers.
"""
