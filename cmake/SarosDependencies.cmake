# Packages, as interface targets saros_dep_<name>, and SAROS_HAVE_<NAME> 0 or 1 for each.
#
# The ground floors (core, autodiff) build with a compiler alone: what is missing there becomes an error
# "not in this build" of the rows that need it. The floors above require their libraries.
# LLVM, libedit and gnuplot are optional everywhere. SAROS_WITHOUT leaves parts out although they are there.
set(SAROS_WITHOUT "" CACHE STRING "Parts to leave out: blas lapack fftw hdf5 llvm xsmm edit gnuplot check, as a list")
if("solvers" IN_LIST SAROS_FLOORS)
  set(need REQUIRED)
else()
  set(need "")
endif()
find_package(Threads REQUIRED)
find_package(PkgConfig ${need})

# saros_dep(NAME found libraries…): the interface target and the flag.
function(saros_dep name found)
  if(name IN_LIST SAROS_WITHOUT)
    set(found 0)
  endif()
  add_library(saros_dep_${name} INTERFACE)
  string(TOUPPER ${name} upper)
  if(found)
    target_link_libraries(saros_dep_${name} INTERFACE ${ARGN})
    set(SAROS_HAVE_${upper} 1 PARENT_SCOPE)
  else()
    set(SAROS_HAVE_${upper} 0 PARENT_SCOPE)
  endif()
endfunction()

# saros_pkg(NAME [REQUIRED] modules…): the same through pkg-config.
macro(saros_pkg name)
  set(${name}_FOUND 0)
  if(PkgConfig_FOUND)
    pkg_check_modules(${name} IMPORTED_TARGET ${ARGN})
  endif()
  saros_dep(${name} "${${name}_FOUND}" PkgConfig::${name})
endmacro()

# ---- core ----
find_package(BLAS ${need})
find_package(LAPACK ${need})
saros_dep(blas "${BLAS_FOUND}" ${BLAS_LIBRARIES})
saros_dep(lapack "${LAPACK_FOUND}" ${LAPACK_LIBRARIES})
saros_pkg(fftw ${need} fftw3 fftw3f)
saros_pkg(hdf5 ${need} hdf5-openmpi)
if(SAROS_HAVE_HDF5)
  find_package(MPI REQUIRED COMPONENTS C) # the headers of parallel HDF5 include mpi.h
  find_library(SAROS_HDF5_HL hdf5_hl HINTS ${hdf5_LIBRARY_DIRS} REQUIRED)
  target_link_libraries(saros_dep_hdf5 INTERFACE ${SAROS_HDF5_HL} MPI::MPI_C)
endif()

# LLVM 14's C interface: the compiled backend (its IR text has typed pointers).
find_path(SAROS_LLVM_INCLUDE llvm-c/LLJIT.h PATHS /usr/lib/llvm-14/include)
find_library(SAROS_LLVM_LIBRARY LLVM-14 PATHS /usr/lib/llvm-14/lib)
mark_as_advanced(SAROS_LLVM_INCLUDE SAROS_LLVM_LIBRARY)
if(SAROS_LLVM_INCLUDE AND SAROS_LLVM_LIBRARY)
  saros_dep(llvm 1 ${SAROS_LLVM_LIBRARY})
  target_include_directories(saros_dep_llvm SYSTEM INTERFACE ${SAROS_LLVM_INCLUDE})
else()
  saros_dep(llvm 0)
endif()

# libxsmm: machine code for small products, linked in whole (a static library).
find_path(SAROS_XSMM_INCLUDE libxsmm.h)
find_library(SAROS_XSMM_LIBRARY xsmm)
mark_as_advanced(SAROS_XSMM_INCLUDE SAROS_XSMM_LIBRARY)
if(SAROS_XSMM_INCLUDE AND SAROS_XSMM_LIBRARY)
  saros_dep(xsmm 1 ${SAROS_XSMM_LIBRARY} ${CMAKE_DL_LIBS})
  target_include_directories(saros_dep_xsmm SYSTEM INTERFACE ${SAROS_XSMM_INCLUDE})
else()
  saros_dep(xsmm 0)
endif()

# ---- solvers ----
if("solvers" IN_LIST SAROS_FLOORS)
  saros_pkg(petsc REQUIRED PETSc)
  target_link_libraries(saros_dep_petsc INTERFACE MPI::MPI_C)
  find_package(SUNDIALS 6.4 REQUIRED CONFIG COMPONENTS cvodes arkode idas kinsol)
  # KLU comes with SUNDIALS and PETSc; the direct solver of this floor calls it itself.
  saros_dep(sundials 1 SUNDIALS::cvodes SUNDIALS::idas SUNDIALS::KLU MPI::MPI_C)
else()
  saros_dep(petsc 0)
  saros_dep(sundials 0)
endif()

# ---- lua ----
if("lua" IN_LIST SAROS_FLOORS)
  saros_pkg(lua REQUIRED lua5.4)
  saros_pkg(edit libedit)
else()
  saros_dep(lua 0)
  saros_dep(edit 0)
endif()
find_program(SAROS_GNUPLOT gnuplot)
saros_dep(gnuplot "${SAROS_GNUPLOT}")
if(NOT SAROS_HAVE_GNUPLOT)
  set(SAROS_GNUPLOT "")
endif()

# ---- what was found, as <saros/config.h> ----
set(SAROS_CONFIG_DIR ${CMAKE_BINARY_DIR}/include)
configure_file(${CMAKE_SOURCE_DIR}/cmake/config.h.in ${SAROS_CONFIG_DIR}/saros/config.h @ONLY)
