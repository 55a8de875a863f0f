from . import ir_qweb
from . import ir_ui_view
from . import product_template
from . import saas_instance
from . import sale_order
from . import sale_order_line
from . import website
from . import website_page
