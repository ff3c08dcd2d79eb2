//! The matrix as a page.

use pulldown_cmark::{Options, Parser, html};

use crate::cells::Matrix;

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width\">\n<title>What each vendor delivers</title>\n\
    <style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem}\
    table{border-collapse:collapse}th,td{border:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top}\
    th{background:#f3f3f3;position:sticky;top:0}em{color:#8a5a00}</style>\n";

impl Matrix {
    /// One page of HTML that needs nothing else.
    #[must_use]
    pub fn html(&self) -> String {
        let mut page = HEAD.to_owned();
        html::push_html(&mut page, Parser::new_ext(&self.markdown(), Options::ENABLE_TABLES));
        page.push_str("</html>\n");
        page
    }
}
