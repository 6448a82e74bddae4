// The headers serve C++ too: names link as C.
#include <saros/saros.h>

int main() {
    saros_tensor *tensor = nullptr;
    double value = 0;
    if (saros_tensor_scalar(SAROS_F64, 3, &tensor) != SAROS_OK) return 1;
    saros_status status = saros_tensor_item(tensor, &value);
    saros_tensor_release(tensor);
    return status != SAROS_OK || value != 3;
}
